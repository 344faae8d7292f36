import { describe, expect, test } from "vitest";
import { parametersNamed } from "../../src/check/query.ts";

describe("a parameter is found", () => {
  test.each<[string, string, [spelling: string, value: string][]]>([
    ["alone", "/?api_key=a", [["api_key", "a"]]],
    ["behind another", "/?b=1&api_key=a", [["api_key", "a"]]],
    ["before another", "/?api_key=a&b=1", [["api_key", "a"]]],
    ["between empty ones", "/?&&api_key=a&&", [["api_key", "a"]]],
    [
      "twice",
      "/?api_key=a&api_key=b",
      [
        ["api_key", "a"],
        ["api_key", "b"],
      ],
    ],
    ["with an escape in its name", "/?api%5Fkey=a", [["api%5Fkey", "a"]]],
    ["with an escape in small letters", "/?api%5fkey=a", [["api%5fkey", "a"]]],
    ["with its whole name in escapes", "/?%61%70%69%5f%6b%65%79=a", [["%61%70%69%5f%6b%65%79", "a"]]],
    [
      "under several spellings",
      "/?api_key=a&x=1&api%5Fkey=b&%61pi_key=c",
      [
        ["api_key", "a"],
        ["api%5Fkey", "b"],
        ["%61pi_key", "c"],
      ],
    ],
    ["with an empty value", "/?api_key=", [["api_key", ""]]],
    ["without an equals sign", "/?api_key", [["api_key", ""]]],
    ["with an equals sign in its value", "/?api_key=a=b", [["api_key", "a=b"]]],
    ["with an escaped equals sign in its value", "/?api_key=a%3Db", [["api_key", "a=b"]]],
    ["with an escaped ampersand in its value", "/?api_key=a%26b=c", [["api_key", "a&b=c"]]],
    ["with a plus, which is a space", "/?api_key=a+b", [["api_key", "a b"]]],
    ["with an escaped plus, which is one", "/?api_key=a%2Bb", [["api_key", "a+b"]]],
    ["with an escaped letter in its value", "/?api_key=%61", [["api_key", "a"]]],
    ["with a value that is escaped twice, once decoded", "/?api_key=%2561", [["api_key", "%61"]]],
    ["with a semicolon, which separates nothing", "/?api_key=a;b=c", [["api_key", "a;b=c"]]],
    ["with a second question mark", "/?api_key=a?b", [["api_key", "a?b"]]],
    ["with an escape that is none", "/?api_key=a%zz", [["api_key", "a%zz"]]],
    ["with an escape that is cut", "/?api_key=a%4", [["api_key", "a%4"]]],
    ["with a percent sign alone", "/?api_key=%", [["api_key", "%"]]],
    ["with an escape of what is not UTF-8, one character a byte", "/?api_key=%ff", [["api_key", "\xff"]]],
    ["with an escaped NUL", "/?api_key=a%00", [["api_key", "a\0"]]],
  ])("%s", (_title, target, found) => {
    expect(parametersNamed("api_key", target)).toEqual(found.map(([spelling, value]) => ({ spelling, value })));
  });
});

describe("no parameter is found", () => {
  test.each<[string, string]>([
    ["without a query", "/api_key=a"],
    ["in an empty query", "/?"],
    ["in the path", "/api_key=a?b=c"],
    ["in another case", "/?API_KEY=a"],
    ["under a name one character longer", "/?api_keys=a"],
    ["under a name one character shorter", "/?api_ke=a"],
    ["under a name with a hyphen", "/?api-key=a"],
    ["under a name with a space before it", "/?+api_key=a"],
    ["under a name with an escaped space behind it", "/?api_key%20=a"],
    ["under a name that is escaped twice", "/?api%255Fkey=a"],
    ["under a name with an escape that is none", "/?api%5key=a"],
    ["under a name with an escaped NUL", "/?api_key%00=a"],
    ["as the value of another", "/?b=api_key=a"],
    ["behind a semicolon, which separates nothing", "/?b;api_key=a"],
    ["behind an escaped ampersand", "/?b%26api_key=a"],
    ["behind a second question mark", "/??api_key=a"],
    ["as a list or a mapping of other languages", "/?api_key[]=a&api_key%5B%5D=b"],
  ])("%s", (_title, target) => {
    expect(parametersNamed("api_key", target)).toEqual([]);
    expect(parametersNamed("api_key", "/?api_key=a")).toHaveLength(1);
  });
});

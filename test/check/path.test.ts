import { describe, expect, test } from "vitest";
import { liesUnder, looseForm, readPath } from "../../src/check/path.ts";

/** All spellings of an escape: `%2f` as `%2f` and `%2F`. */
function bothCases(byte: number): string[] {
  const digits = byte.toString(16).padStart(2, "0");
  return [...new Set([`%${digits}`, `%${digits.toUpperCase()}`])];
}

describe("a path that can be read in one way", () => {
  test.each([
    ["the root", "/", "/"],
    ["segments", "/v1/orders", "/v1/orders"],
    ["a trailing slash", "/v1/", "/v1/"],
    ["a query", "/v1?a=b", "/v1"],
    ["a query after a trailing slash", "/v1/?a=b", "/v1/"],
    ["an empty query", "/v1?", "/v1"],
    ["a query with what a path may not hold", "/v1?a=//;\\%2f%zz/../!", "/v1"],
    ["a query with bytes that are not ASCII", "/v1?a=\xc3\xa9", "/v1"],
    ["a dot within a segment", "/a.b/.c/d./...", "/a.b/.c/d./..."],
    ["the characters that a segment may hold", "/-._~!$&'()*+,=:@", "/-._~!$&'()*+,=:@"],
    ["characters that need no escape to be read alike", '/"<>[]^`{|}', '/"<>[]^`{|}'],
    ["an escaped letter", "/%76%31", "/v1"],
    ["an escaped digit, hyphen, underscore and tilde", "/%30%2d%5f%7e", "/0-_~"],
    ["an escape that stays, in small letters", "/a%3ab", "/a%3Ab"],
    ["an escape that stays, in capitals", "/a%3Ab", "/a%3Ab"],
    ["an escaped space", "/a%20b", "/a%20b"],
    ["an escaped exclamation mark", "/a%21b", "/a%21b"],
    ["UTF-8 of two bytes", "/caf%c3%a9", "/caf%C3%A9"],
    ["the lowest character of two bytes", "/%c2%80", "/%C2%80"],
    ["the lowest character of three bytes", "/%e0%a0%80", "/%E0%A0%80"],
    ["the last character before the surrogates", "/%ed%9f%bf", "/%ED%9F%BF"],
    ["the first character after the surrogates", "/%ee%80%80", "/%EE%80%80"],
    ["the lowest character of four bytes", "/%f0%90%80%80", "/%F0%90%80%80"],
    ["the highest character of all", "/%f4%8f%bf%bf", "/%F4%8F%BF%BF"],
  ])("with %s is read", (_title, target, path) => {
    expect(readPath(target, true)).toBe(path);
  });
});

describe("a path that can be read in more than one way", () => {
  test.each([
    ["nothing", ""],
    ["no slash in front", "v1"],
    ["an asterisk", "*"],
    ["a whole URL", "http://api.example.com/v1"],
    ["a question mark only", "?a=b"],
    ["two slashes in front", "//v1"],
    ["two slashes within", "/v1//orders"],
    ["two slashes at the end", "/v1//"],
    ["two slashes before a query", "/v1//?a"],
    ["a backslash", "/v1\\orders"],
    ["a semicolon", "/v1;a=b/orders"],
    ["a fragment", "/v1#a"],
    ["a fragment after a query", "/v1?a#b"],
    ["a space", "/v1 orders"],
    ["a tab", "/v1\torders"],
    ["a line end", "/v1\n"],
    ["a NUL", "/v1\0"],
    ["a DEL", "/v1\x7f"],
    ["a line end in the query", "/v1?a\r\nb"],
    ["a space in the query", "/v1?a b"],
    ["a byte that is not ASCII", "/caf\xe9"],
    ["UTF-8 that is not escaped", "/caf\xc3\xa9"],
    ["a segment of one dot", "/v1/./orders"],
    ["a segment of two dots", "/v1/../orders"],
    ["one dot at the end", "/v1/."],
    ["two dots at the end", "/v1/.."],
    ["two dots before a query", "/v1/..?a"],
    ["only a dot", "/."],
    ["only two dots", "/.."],
    ["a percent sign at the end", "/v1%"],
    ["one hex digit at the end", "/v1%4"],
    ["one hex digit before a query", "/v1%4?a"],
    ["a first digit that is not hex", "/v1%g1"],
    ["a second digit that is not hex", "/v1%1g"],
    ["an escape of another kind", "/v1%u002f"],
    ["two percent signs", "/v1%%41"],
    ["an overlong slash", "/%c0%af"],
    ["an overlong dot", "/%c0%ae"],
    ["an overlong letter", "/%c1%a1"],
    ["an overlong slash of three bytes", "/%e0%80%af"],
    ["an overlong slash of four bytes", "/%f0%80%80%af"],
    ["the highest overlong form of three bytes", "/%e0%9f%bf"],
    ["the highest overlong form of four bytes", "/%f0%8f%bf%bf"],
    ["the first surrogate", "/%ed%a0%80"],
    ["the last surrogate", "/%ed%bf%bf"],
    ["what lies past the highest character", "/%f4%90%80%80"],
    ["a lead byte past all of Unicode", "/%f5%80%80%80"],
    ["a byte that UTF-8 never has", "/%ff"],
    ["a following byte alone", "/%80"],
    ["a lead byte alone", "/%c3"],
    ["a lead byte before a letter", "/%c3a"],
    ["a lead byte before an escaped letter", "/%c3%61"],
    ["a lead byte before a second lead byte", "/%c3%c3"],
    ["a character of three bytes cut to two", "/%e2%82"],
    ["a character of three bytes cut by a slash", "/%e2%82/%ac"],
    ["a character of four bytes cut to three", "/%f0%9f%98"],
    ["a character of four bytes with a letter at its end", "/%f0%9f%98%41"],
    ["a character of two bytes cut within an escape", "/%c3%a"],
  ])("with %s is refused", (_title, target) => {
    expect(readPath(target, true)).toBeUndefined();
  });

  const refused = [..."/\\.%;?#"].map((character) => character.charCodeAt(0)).concat(0x7f);
  const controls = Array.from({ length: 0x20 }, (_, code) => code);
  test.each([...controls, ...refused].flatMap(bothCases))("with %s is refused, wherever it stands", (triplet) => {
    const targets = [`/${triplet}`, `/a${triplet}b`, `/a/${triplet}/b`, `/a${triplet}?q`, `/caf%c3%a9${triplet}`];
    expect(targets.map((target) => readPath(target, true))).toEqual(targets.map(() => undefined));
  });

  test("is every path with one escape but for those of plain characters", () => {
    const bytes = Array.from({ length: 0x100 }, (_, byte) => byte);
    const read = bytes.filter((byte) =>
      bothCases(byte).some((triplet) => readPath(`/a${triplet}b`, true) !== undefined),
    );
    expect(String.fromCharCode(...read)).toBe(
      " !\"$&'()*+,-0123456789:<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    );
  });

  test("is every path with one byte but for those of plain characters", () => {
    const bytes = Array.from({ length: 0x100 }, (_, byte) => String.fromCharCode(byte));
    expect(bytes.filter((byte) => readPath(`/a${byte}b`, true) !== undefined).join("")).toBe(
      "!\"$&'()*+,-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    );
  });
});

describe("an exclamation mark, which Envoy writes for bytes it cannot show", () => {
  test.each([
    ["in a path whose bytes are known", "/v1!", true, "/v1!"],
    ["in a path whose bytes are not known", "/v1!", false, undefined],
    ["in a query whose bytes are not known", "/v1?a!", false, "/v1"],
    ["escaped, in a path whose bytes are not known", "/v1%21", false, "/v1%21"],
  ])("%s: %j is read as %4$j", (_title, target, bytesKnown, path) => {
    expect(readPath(target, bytesKnown)).toBe(path);
  });
});

describe("the loose form of a path", () => {
  test.each([
    ["drops a trailing slash", "/v1/", "/v1"],
    ["of the root is empty", "/", ""],
    ["has ASCII letters in lower case", "/API/Orders", "/api/orders"],
    ["decodes what the exact form keeps", "/a%3Ab%20c", "/a:b c"],
    ["folds a letter that an escape hid", "/%41", "/a"],
    ["keeps bytes of UTF-8 as they are", "/%C3%89", "/\xc3\x89"],
    ["keeps a slash within", "/a/b", "/a/b"],
    ["of a loose path is the same", "/v1", "/v1"],
  ])("%s", (_title, path, loose) => {
    expect(looseForm(path)).toBe(loose);
  });
});

describe("a key's own path", () => {
  test.each([
    ["opens itself", "/v1/orders", "/v1/orders", true],
    ["does not open itself cut", "/v1/orders", "/v1/order", false],
    ["does not open a sibling that begins alike", "/v1/orders", "/v1/ordersx", false],
    ["opens what is below it", "/v1/orders", "/v1/orders/7", true],
    ["does not open a sibling's child", "/v1/orders", "/v1/ordersx/7", false],
    ["opens itself with a trailing slash", "/v1/orders", "/v1/orders/", true],
    ["does not open its parent", "/v1/orders", "/v1", false],
    ["does not open another case", "/v1/orders", "/v1/Orders", false],
    ["does not open another escape", "/v1/a:b", "/v1/a%3Ab", false],
    ["as root opens all", "/", "/anything/at/all", true],
    ["as root opens the root", "/", "/", true],
    ["as one exact path opens itself", "=/v1/orders", "/v1/orders", true],
    ["as one exact path does not open its end", "=/v1/orders", "/orders", false],
    ["as one exact path does not open what is below it", "=/v1/orders", "/v1/orders/7", false],
    ["as one exact path does not open a trailing slash", "=/v1/orders", "/v1/orders/", false],
    ["as one exact path does not open another case", "=/v1/orders", "/v1/orderS", false],
    ["as the exact root opens the root", "=/", "/", true],
    ["as the exact root opens nothing else", "=/", "/a", false],
  ])("%s: %j opens %j is %s", (_title, opened, path, opens) => {
    expect(liesUnder(path, opened)).toBe(opens);
  });
});

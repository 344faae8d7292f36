import { describe, expect, test } from "vitest";
import { cookiesNamed, withoutCookies } from "../../src/check/cookie.ts";

describe("a cookie is found", () => {
  test.each<[string, string, string[]]>([
    ["alone", "k=a", ["a"]],
    ["behind another", "b=1; k=a", ["a"]],
    ["before another", "k=a; b=1", ["a"]],
    ["without the space", "b=1;k=a;c=2", ["a"]],
    ["with more white space", "b=1 ;\t k=a \t;c=2", ["a"]],
    ["behind a comma, with which repeated headers are folded", "b=1,k=a", ["a"]],
    ["before a comma", "k=a,b=1", ["a"]],
    ["twice", "k=a; k=b", ["a", "b"]],
    ["twice, folded", "k=a,k=a", ["a", "a"]],
    ["with white space around its name", "b=1; k =a", ["a"]],
    ["with white space before its value, which belongs to it", "k= a", [" a"]],
    ["in quotes, which belong to its value", 'k="a"', ['"a"']],
    ["with an equals sign in its value", "k=a=b", ["a=b"]],
    ["with an empty value", "k=", [""]],
    ["with an escape, which stands for itself", "k=%61", ["%61"]],
    ["with a byte that looks like white space behind it", "k=a\xa0", ["a\xa0"]],
    ["within another's quotes, cut at the semicolon as any", 'b="1; k=a"', ['a"']],
  ])("%s", (_title, header, values) => {
    expect(cookiesNamed("k", header)).toEqual(values);
  });
});

describe("no cookie is found", () => {
  test.each<[string, string]>([
    ["in an empty header", ""],
    ["among separators", ";, ;"],
    ["in another case", "K=a"],
    ["under a name one character longer", "kk=a"],
    ["under an empty name", "=a"],
    ["in quotes around its name", '"k"=a'],
    ["with an escaped name", "%6b=a"],
    ["without an equals sign", "k"],
    ["as the value of another", "b=k=a"],
    ["behind an ampersand", "b=1&k=a"],
    ["behind a byte that looks like white space", "b=1;\xa0k=a"],
  ])("%s", (_title, header) => {
    expect(cookiesNamed("k", header)).toEqual([]);
    expect(cookiesNamed("k", "k=a")).toEqual(["a"]);
  });
});

describe("a header is written anew without a cookie", () => {
  const utf8 = Buffer.from("é漢😀", "utf8").toString("latin1");

  test.each<[string, string, string]>([
    ["that was the only one", "k=a", ""],
    ["that was there twice", "k=a; k=b", ""],
    ["between separators", "; ,k=a;", ""],
    ["behind another", "b=1; k=a", "b=1"],
    ["before another", "k=a; b=1", "b=1"],
    ["between others, in their order", "c=2; k=a; b=1", "c=2; b=1"],
    ["between commas", "b=1,k=a,c=2", "b=1; c=2"],
    ["with an empty value", "k=; b=1", "b=1"],
    ["with white space around its name", "k =a; b=1", "b=1"],
    ["of another name: all stay", "kk=a; K=b; b=1", "kk=a; K=b; b=1"],
    ["beside a text without a name, which stays", "k; k=a", "k"],
    ["beside quotes, which stay", 'b="1"; k=a', 'b="1"'],
    ["beside an equals sign in a value, which stays", "b=1==; k=a", "b=1=="],
    ["beside UTF-8, which stays", `b=${utf8}; k=a`, `b=${utf8}`],
    ["beside Latin letters, which go: the answer would be unreadable", "b=\xe9; c=2; k=a", "c=2"],
    ["beside UTF-8 that is cut, which goes", `b=${utf8.slice(0, -1)}; k=a`, ""],
    ["beside an overlong form, which goes", "b=\xc0\xae; c=\xe0\x80\xae; k=a", ""],
    ["beside a surrogate, which goes", "b=\xed\xa0\x80; k=a", ""],
    ["beside what lies past Unicode, which goes", "b=\xf4\x90\x80\x80; k=a", ""],
    ["beside a control character, which goes", "b=\x01; c=\x7f; d=4; k=a", "d=4"],
  ])("%s", (_title, header, rest) => {
    expect(withoutCookies(header, (name) => name === "k")).toBe(rest);
  });

  test("by its name and value", () => {
    const dropped: [string, string][] = [];
    const rest = withoutCookies("k=a; k=b=c; d", (name, value) => {
      dropped.push([name, value]);
      return value === "a";
    });
    expect(rest).toBe("k=b=c; d");
    expect(dropped).toEqual([
      ["k", "a"],
      ["k", "b=c"],
      ["", "d"],
    ]);
  });

  test("and of 64 KiB as any other", () => {
    const long = `b=${utf8.repeat(7_000)}`;
    expect(withoutCookies(`${long}; k=a`, (name) => name === "k")).toBe(long);
  });
});

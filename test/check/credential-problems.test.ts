import { describe, expect, test } from "vitest";
import { type CredentialSource, credentialProblems, DEFAULT_SOURCES } from "../../src/check/credential.ts";

const IDENTITY = ["x-keyward-key-id", "x-keyward-owner"];

describe("a list of places is sound:", () => {
  test.each<[string, readonly CredentialSource[]]>([
    ["the usual one", DEFAULT_SOURCES],
    [
      "one place of every kind",
      [
        ...DEFAULT_SOURCES,
        { from: "basic", username: "*" },
        { from: "query", name: "k" },
        { from: "cookie", name: "k" },
      ],
    ],
    [
      "two headers",
      [
        { from: "header", name: "x-a" },
        { from: "header", name: "x-b" },
      ],
    ],
    [
      "two schemes",
      [
        { from: "scheme", name: "a" },
        { from: "scheme", name: "b" },
      ],
    ],
    [
      "a query parameter and a cookie of one name",
      [
        { from: "query", name: "k" },
        { from: "cookie", name: "k" },
      ],
    ],
    [
      "two cookies whose names differ in case",
      [
        { from: "cookie", name: "k" },
        { from: "cookie", name: "K" },
      ],
    ],
    [
      "two parameters whose names differ in case",
      [
        { from: "query", name: "k" },
        { from: "query", name: "K" },
      ],
    ],
    ["a cookie named like a header", [{ from: "cookie", name: "host" }]],
    ["a header one character longer than an identity header", [{ from: "header", name: "x-keyward-owners" }]],
  ])("%s", (_title, sources) => {
    expect(credentialProblems(sources, IDENTITY)).toEqual([]);
  });
});

describe("a list of places is refused for", () => {
  test.each<[string, readonly CredentialSource[], string]>([
    [
      "a header twice",
      [
        { from: "header", name: "x-a" },
        { from: "header", name: "x-a" },
      ],
      "names header x-a a second time",
    ],
    [
      "a cookie twice",
      [
        { from: "cookie", name: "k" },
        { from: "cookie", name: "k" },
      ],
      "names cookie k a second time",
    ],
    [
      "a parameter twice",
      [
        { from: "query", name: "k" },
        { from: "query", name: "k" },
      ],
      "names query k a second time",
    ],
    ["bearer twice", [{ from: "bearer" }, { from: "bearer" }], "names scheme bearer a second time"],
    [
      "bearer and a scheme of that name",
      [{ from: "bearer" }, { from: "scheme", name: "bearer" }],
      "names scheme bearer a second time",
    ],
    [
      "two user names",
      [
        { from: "basic", username: "a" },
        { from: "basic", username: "b" },
      ],
      "names scheme basic a second time",
    ],
  ])("%s", (_title, sources, message) => {
    expect(credentialProblems(sources, IDENTITY)).toEqual([{ source: 1, message }]);
  });

  test.each<[string, CredentialSource, string]>([
    ["Basic as a scheme", { from: "scheme", name: "basic" }, "must say from: basic, with a username"],
    ["Authorization as a header", { from: "header", name: "authorization" }, "must say from: bearer, scheme or basic"],
    ["Cookie as a header", { from: "header", name: "cookie" }, "cannot be the header cookie"],
    ["Host as a header", { from: "header", name: "host" }, "cannot be the header host"],
    ["Connection as a header", { from: "header", name: "connection" }, "cannot be the header connection"],
    ["Content-Length as a header", { from: "header", name: "content-length" }, "cannot be the header content-length"],
    [
      "Transfer-Encoding as a header",
      { from: "header", name: "transfer-encoding" },
      "cannot be the header transfer-encoding",
    ],
    ["X-Forwarded-For", { from: "header", name: "x-forwarded-for" }, "cannot be the header x-forwarded-for"],
    ["an identity header", { from: "header", name: "x-keyward-owner" }, "cannot be the header x-keyward-owner"],
    [
      "a spelling of an identity header",
      { from: "header", name: "x_keyward.owner" },
      "cannot be the header x_keyward.owner",
    ],
  ])("%s", (_title, source, message) => {
    expect(credentialProblems([{ from: "bearer" }, source], IDENTITY)).toEqual([{ source: 1, message }]);
  });

  test("everything that is wrong with it", () => {
    const header = { from: "header", name: "cookie" } as const;
    expect(credentialProblems([header, { from: "bearer" }, header], [])).toEqual([
      { source: 0, message: "cannot be the header cookie" },
      { source: 2, message: "names header cookie a second time" },
      { source: 2, message: "cannot be the header cookie" },
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { type CredentialSource, createCredentialReader } from "../../src/check/credential.ts";
import type { HeaderList } from "../support/check-request.ts";
import { secretOf } from "../support/sample-keys.ts";

const KEY = secretOf("a");
const OTHER = secretOf("b");
const CHANGED = `${KEY.slice(0, -1)}${KEY.endsWith("0") ? "1" : "0"}`;

const EVERYWHERE: readonly CredentialSource[] = [
  { from: "bearer" },
  { from: "scheme", name: "apikey" },
  { from: "header", name: "x-api-key" },
  { from: "basic", username: "keyward" },
  { from: "query", name: "api_key" },
  { from: "cookie", name: "api_key" },
];

const ANY_USER: readonly CredentialSource[] = [{ from: "basic", username: "*" }];

/** A request, as far as credentials are looked for in it. */
interface Sent {
  readonly headers?: HeaderList;
  readonly target?: string;
}

function requestOf({ headers = [], target = "/" }: Sent) {
  return { headers: headers.map(([name, value]) => ({ name, value })), target };
}

/** What was presented, or the reason for which it is none; what may have happened to it is told elsewhere. */
function read(sent: Sent, sources = EVERYWHERE) {
  const credential = createCredentialReader(sources).read(requestOf(sent));
  return typeof credential === "object" && "malformed" in credential ? "malformed_credential" : credential;
}

function basic(username: string, password: string): HeaderList[number] {
  return ["authorization", `Basic ${Buffer.from(`${username}:${password}`, "latin1").toString("base64")}`];
}

const cookie = (value: string): HeaderList[number] => ["cookie", value];

test("every header in which a key may be is looked at, and once", () => {
  expect(createCredentialReader(EVERYWHERE).headers).toEqual(["authorization", "x-api-key", "cookie"]);
  expect(createCredentialReader([{ from: "query", name: "k" }]).headers).toEqual([]);
  expect(createCredentialReader(ANY_USER).headers).toEqual(["authorization"]);
});

describe("Basic", () => {
  const carriers = { headers: ["authorization"] };

  test.each<[string, string, string, object | string]>([
    ["the right user", "keyward", KEY, { secret: KEY, carriers }],
    ["the right user with another key", "keyward", OTHER, { secret: OTHER, carriers }],
    ["the right user with a mistyped key", "keyward", CHANGED, "malformed_credential"],
    ["the right user without a key", "keyward", "", "malformed_credential"],
    ["the right user with a key and a colon", "keyward", `${KEY}:`, "malformed_credential"],
    ["the right user with a space before the key", "keyward", ` ${KEY}`, "malformed_credential"],
    ["the right user with a NUL behind the key", "keyward", `${KEY}\0`, "malformed_credential"],
    ["a wrong user", "keywarD", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["a wrong user with a mistyped key", "keywarD", CHANGED, "malformed_credential"],
    ["a wrong user without a key", "keywarD", "", "malformed_credential"],
    ["a user name one character longer", "keyward1", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["a user name one character shorter", "keywar", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["no user name", "", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["the user name that stands for any", "*", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["a user name of 10,000 characters", "u".repeat(10_000), KEY, { secret: KEY, carriers, wrongUser: true }],
    ["a user name that is not ASCII", "k\xe9yward", KEY, { secret: KEY, carriers, wrongUser: true }],
    ["a user name with a NUL", "keyward\0", KEY, "malformed_credential"],
    ["the key as user name", KEY, "", "malformed_credential"],
  ])("with a fixed user name: %s", (_title, username, password, credential) => {
    expect(read({ headers: [basic(username, password)] })).toEqual(credential);
  });

  test.each<[string, string, string, object | string]>([
    ["a user name", "alice", KEY, { secret: KEY, carriers }],
    ["no user name", "", KEY, { secret: KEY, carriers }],
    ["a user name of 10,000 characters", "u".repeat(10_000), KEY, { secret: KEY, carriers }],
    ["a user name that is not ASCII", "\xe9", KEY, { secret: KEY, carriers }],
    ["a user name with a NUL", "a\0", KEY, "malformed_credential"],
    ["a mistyped key", "alice", CHANGED, "malformed_credential"],
    ["no key", "alice", "", "malformed_credential"],
  ])("with any user name: %s", (_title, username, password, credential) => {
    expect(read({ headers: [basic(username, password)] }, ANY_USER)).toEqual(credential);
  });

  const sound = basic("keyward", KEY)[1];
  const encoded = sound.slice("Basic ".length);

  test.each<[string, string, object | string]>([
    ["in small letters", `basic ${encoded}`, { secret: KEY, carriers }],
    ["with two spaces", `Basic  ${encoded}`, { secret: KEY, carriers }],
    ["between white space", `\t${sound} `, { secret: KEY, carriers }],
    ["of a scheme one character longer", `Basics ${encoded}`, "no_credential"],
    ["of another scheme", `Digest ${encoded}`, "no_credential"],
    ["with nothing behind it", "Basic", "malformed_credential"],
    ["without a colon", `Basic ${Buffer.from(KEY).toString("base64")}`, "malformed_credential"],
    ["with the key itself", `Basic ${KEY}`, "malformed_credential"],
    ["without its padding", `Basic ${Buffer.from(`keyward:${KEY}a`).toString("base64url")}`, "malformed_credential"],
    ["cut by one character", sound.slice(0, -1), "malformed_credential"],
    ["under the scheme of a bearer token", `Bearer ${encoded}`, "malformed_credential"],
    ["twice", `${sound},${sound}`, "ambiguous_credential"],
    ["beside a bearer token", `${sound}, Bearer ${KEY}`, "ambiguous_credential"],
    ["with a comma behind it", `${sound},`, "ambiguous_credential"],
    ["of 64 KiB", `Basic ${"YWFh".repeat(16_384)}`, "malformed_credential"],
  ])("%s", (_title, value, credential) => {
    expect(read({ headers: [["authorization", value]] })).toEqual(credential);
  });

  test("that is not configured is another's, and a bearer token with a colon in it is no user", () => {
    expect(read({ headers: [basic("keyward", KEY)] }, [{ from: "bearer" }])).toBe("no_credential");
    expect(read({ headers: [["authorization", `Bearer keyward:${KEY}`]] })).toBe("malformed_credential");
  });
});

describe("a query key", () => {
  const taken = (...parameters: string[]) => ({ secret: KEY, carriers: { headers: [], parameters } });

  test.each<[string, string, object | string]>([
    ["alone", `/?api_key=${KEY}`, taken("api_key")],
    ["among others", `/v1?a=1&api_key=${KEY}&b`, taken("api_key")],
    ["under an escaped name", `/?api%5Fkey=${KEY}`, taken("api%5Fkey")],
    ["with an escaped letter", `/?api_key=%6b${KEY.slice(1)}`, taken("api_key")],
    ["with an escaped underscore", `/?api_key=${KEY.replace("_", "%5f")}`, taken("api_key")],
    ["of another name", `/?apikey=${KEY}`, "no_credential"],
    ["of another case", `/?Api_key=${KEY}`, "no_credential"],
    ["behind a semicolon", `/?a;api_key=${KEY}`, "no_credential"],
    ["in the path", `/api_key=${KEY}`, "no_credential"],
    ["that is empty", "/?api_key=", "malformed_credential"],
    ["without an equals sign", "/?api_key", "malformed_credential"],
    ["that is mistyped", `/?api_key=${CHANGED}`, "malformed_credential"],
    ["with a plus behind it", `/?api_key=${KEY}+`, "malformed_credential"],
    ["with an escaped space before it", `/?api_key=%20${KEY}`, "malformed_credential"],
    ["with a semicolon behind it", `/?api_key=${KEY};b=1`, "malformed_credential"],
    ["with a comma behind it", `/?api_key=${KEY},`, "malformed_credential"],
    ["with an escape that is none", `/?api_key=${KEY}%`, "malformed_credential"],
    ["escaped twice", `/?api_key=%256b${KEY.slice(1)}`, "malformed_credential"],
    ["in quotes", `/?api_key="${KEY}"`, "malformed_credential"],
    ["twice, different", "/?api_key=a&api_key=b", "ambiguous_credential"],
    ["twice, two keys", `/?api_key=${KEY}&api_key=${OTHER}`, "ambiguous_credential"],
    ["twice, the same", `/?api_key=${KEY}&api_key=${KEY}`, "ambiguous_credential"],
    ["twice, in two spellings", `/?api_key=${KEY}&api%5Fkey=${KEY}`, "ambiguous_credential"],
    ["beside an empty one", `/?api_key=${KEY}&api_key`, "ambiguous_credential"],
  ])("%s", (_title, target, credential) => {
    expect(read({ target })).toEqual(credential);
  });

  test("is another's where none is configured", () => {
    expect(read({ target: `/?api_key=${KEY}` }, EVERYWHERE.slice(0, 4))).toBe("no_credential");
  });
});

describe("a cookie", () => {
  const taken = (cookies: string) => ({ secret: KEY, carriers: { headers: [], cookies } });

  test.each<[string, string[], object | string]>([
    ["alone", [`api_key=${KEY}`], taken("")],
    ["among others", [`a=1; api_key=${KEY}; b="2"`], taken('a=1; b="2"')],
    ["behind a comma", [`a=1,api_key=${KEY},b=2`], taken("a=1; b=2")],
    ["beside one of nearly the same name", [`api_key2=${OTHER}; api_key=${KEY}`], taken(`api_key2=${OTHER}`)],
    ["beside one in another case", [`API_KEY=${OTHER}; api_key=${KEY}`], taken(`API_KEY=${OTHER}`)],
    ["of another name", [`apikey=${KEY}`], "no_credential"],
    ["without a name", [KEY], "no_credential"],
    ["in a header without any", [""], "no_credential"],
    ["in neither of two headers", ["a=1", "b=2"], "no_credential"],
    ["that is empty", ["api_key="], "malformed_credential"],
    ["in quotes", [`api_key="${KEY}"`], "malformed_credential"],
    ["that is mistyped", [`api_key=${CHANGED}`], "malformed_credential"],
    ["with a space before its value", [`api_key= ${KEY}`], "malformed_credential"],
    ["with an escape in it", [`api_key=%6b${KEY.slice(1)}`], "malformed_credential"],
    ["with a byte behind it that looks like white space", [`api_key=${KEY}\xa0`], "malformed_credential"],
    ["twice, two keys", [`api_key=${KEY}; api_key=${OTHER}`], "ambiguous_credential"],
    ["twice, the same", [`api_key=${KEY}; api_key=${KEY}`], "ambiguous_credential"],
    ["twice, folded", [`api_key=${KEY},api_key=${KEY}`], "ambiguous_credential"],
    ["twice, once empty", [`api_key=; api_key=${KEY}`], "ambiguous_credential"],
    ["in two headers, the same", [`api_key=${KEY}`, `api_key=${KEY}`], "ambiguous_credential"],
    ["in one of two headers", ["a=1", `api_key=${KEY}`], "ambiguous_credential"],
    ["in the other of two headers", [`api_key=${KEY}`, "a=1"], "ambiguous_credential"],
  ])("%s", (_title, values, credential) => {
    expect(read({ headers: values.map(cookie) })).toEqual(credential);
  });

  test("is another's where none is configured", () => {
    expect(read({ headers: [cookie(`api_key=${KEY}`)] }, EVERYWHERE.slice(0, 5))).toBe("no_credential");
  });

  test("of each of two names is looked for, and both are taken out", () => {
    const sources: CredentialSource[] = [
      { from: "cookie", name: "a" },
      { from: "cookie", name: "b" },
    ];
    expect(read({ headers: [cookie(`a=${KEY}; c=1`)] }, sources)).toEqual(taken("c=1"));
    expect(read({ headers: [cookie(`c=1; b=${KEY}`)] }, sources)).toEqual(taken("c=1"));
    expect(read({ headers: [cookie(`a=${KEY}; c=1; b=${KEY}`)] }, sources)).toEqual(taken("c=1"));
    expect(read({ headers: [cookie(`a=${KEY}; c=1; b=${OTHER}`)] }, sources)).toBe("ambiguous_credential");
  });
});

describe("in two places", () => {
  const bearer = (secret: string): Sent => ({ headers: [["authorization", `Bearer ${secret}`]] });
  const header = (secret: string): Sent => ({ headers: [["x-api-key", secret]] });
  const user = (secret: string): Sent => ({ headers: [basic("keyward", secret)] });
  const query = (secret: string): Sent => ({ target: `/?api_key=${secret}` });
  const crumb = (secret: string): Sent => ({ headers: [cookie(`a=1; api_key=${secret}`)] });

  const pairs: [string, (secret: string) => Sent, (secret: string) => Sent, object][] = [
    ["bearer and header", bearer, header, { headers: ["authorization", "x-api-key"] }],
    ["bearer and query", bearer, query, { headers: ["authorization"], parameters: ["api_key"] }],
    ["bearer and cookie", bearer, crumb, { headers: ["authorization"], cookies: "a=1" }],
    ["Basic and header", user, header, { headers: ["authorization", "x-api-key"] }],
    ["Basic and query", user, query, { headers: ["authorization"], parameters: ["api_key"] }],
    ["Basic and cookie", user, crumb, { headers: ["authorization"], cookies: "a=1" }],
    ["header and query", header, query, { headers: ["x-api-key"], parameters: ["api_key"] }],
    ["header and cookie", header, crumb, { headers: ["x-api-key"], cookies: "a=1" }],
    ["query and cookie", query, crumb, { headers: [], parameters: ["api_key"], cookies: "a=1" }],
  ];
  const both = (one: Sent, other: Sent): Sent => ({
    headers: [...(one.headers ?? []), ...(other.headers ?? [])],
    target: one.target ?? other.target ?? "/",
  });

  test.each(pairs)("%s: the same key is one key, and taken out of both", (_title, one, other, carriers) => {
    expect(read(both(one(KEY), other(KEY)))).toEqual({ secret: KEY, carriers });
  });

  test.each(pairs)("%s: different keys are ambiguous, whichever comes first", (_title, one, other) => {
    expect(read(both(one(KEY), other(OTHER)))).toBe("ambiguous_credential");
    expect(read(both(other(OTHER), one(KEY)))).toBe("ambiguous_credential");
  });

  test.each(pairs)("%s: a key and nothing are ambiguous", (_title, one, other) => {
    expect(read(both(one(KEY), other("")))).toBe("ambiguous_credential");
    expect(read(both(one(""), other(KEY)))).toBe("ambiguous_credential");
  });

  test("a wrong user's key stays a wrong user's, wherever else it is", () => {
    const carriers = { headers: ["authorization", "x-api-key"] };
    const sent = both(header(KEY), { headers: [basic("keywarD", KEY)] });
    expect(read(sent)).toEqual({ secret: KEY, carriers, wrongUser: true });
    expect(read(both(header(OTHER), { headers: [basic("keywarD", KEY)] }))).toBe("ambiguous_credential");
  });
});

describe("no text of a request stands for anything but itself:", () => {
  test.each(["unknown user", "no_credential", "undefined", "*"])("%s", (text) => {
    expect(read({ headers: [["x-api-key", text]] })).toBe("malformed_credential");
    expect(read({ target: `/?api_key=${encodeURIComponent(text)}` })).toBe("malformed_credential");
    expect(read({ headers: [cookie(`api_key=${text}`)] })).toBe("malformed_credential");
  });
});

describe("where no credential is judged, ours alone is taken out of", () => {
  test.each<[string, Sent, object]>([
    ["Basic", { headers: [basic("keyward", KEY)] }, { headers: ["authorization"] }],
    ["Basic of another user", { headers: [basic("alice", KEY)] }, { headers: ["authorization"] }],
    ["Basic with another's password: not ours", { headers: [basic("keyward", "pass")] }, { headers: [] }],
    ["Basic that cannot be read: not ours", { headers: [["authorization", `Basic ${KEY}`]] }, { headers: [] }],
    ["the query", { target: `/?api_key=${KEY}` }, { headers: [], parameters: ["api_key"] }],
    [
      "the query, under every spelling",
      { target: `/?api_key=${KEY}&api%5Fkey=${OTHER}&api%5fkey=${KEY}&api_key=${OTHER}` },
      { headers: [], parameters: ["api_key", "api%5Fkey", "api%5fkey"] },
    ],
    [
      "the query, but for the spelling with another's key",
      { target: `/?api_key=sk-1&api%5Fkey=${KEY}` },
      { headers: [], parameters: ["api%5Fkey"] },
    ],
    ["the query with another's key: not ours", { target: "/?api_key=sk-1" }, { headers: [] }],
    ["the query with a mistyped key: not ours", { target: `/?api_key=${CHANGED}` }, { headers: [] }],
    ["the query with a parameter of another name: not looked at", { target: `/?key=${KEY}` }, { headers: [] }],
    ["a cookie", { headers: [cookie(`api_key=${KEY}`)] }, { headers: [], cookies: "" }],
    ["one of several cookies", { headers: [cookie(`a=1; api_key=${KEY}`)] }, { headers: [], cookies: "a=1" }],
    [
      "two cookies, but for another's between them",
      { headers: [cookie(`api_key=${KEY}; api_key=sk-1; api_key=${OTHER}`)] },
      { headers: [], cookies: "api_key=sk-1" },
    ],
    ["a cookie with another's key: not ours", { headers: [cookie("a=1; api_key=sk-1")] }, { headers: [] }],
    ["a cookie in quotes: not ours", { headers: [cookie(`api_key="${KEY}"`)] }, { headers: [] }],
    [
      "one of two Cookie headers",
      { headers: [cookie("a=1"), cookie(`api_key=${KEY}; b=2`)] },
      { headers: [], cookies: "a=1; b=2" },
    ],
    [
      "every place at once",
      {
        headers: [["authorization", `ApiKey ${KEY}`], ["x-api-key", OTHER], cookie(`api_key=${KEY}; a=1`)],
        target: `/?api%5Fkey=${OTHER}`,
      },
      { headers: ["authorization", "x-api-key"], cookies: "a=1", parameters: ["api%5Fkey"] },
    ],
    [
      "one place beside others with another's keys",
      {
        headers: [["authorization", "Bearer e30"], ["x-api-key", "sk-1"], cookie("api_key=sk-1")],
        target: `/?api_key=${KEY}`,
      },
      { headers: [], parameters: ["api_key"] },
    ],
  ])("%s", (_title, sent, carriers) => {
    expect(createCredentialReader(EVERYWHERE).carriersOfSecrets(requestOf(sent))).toEqual(carriers);
  });

  test("one of two configured cookies, and the other's session stays", () => {
    const reader = createCredentialReader([
      { from: "cookie", name: "api_key" },
      { from: "cookie", name: "session" },
    ]);
    const request = requestOf({ headers: [cookie(`session=s-1; api_key=${KEY}`)] });
    expect(reader.carriersOfSecrets(request)).toEqual({ headers: [], cookies: "session=s-1" });
  });
});

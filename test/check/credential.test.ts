import { describe, expect, test } from "vitest";
import { createCredentialReader, DEFAULT_SOURCES } from "../../src/check/credential.ts";
import type { HeaderList } from "../support/check-request.ts";
import { secretOf, tokenOf } from "../support/sample-keys.ts";

const reader = createCredentialReader(DEFAULT_SOURCES);

const KEY = secretOf("a");
const OTHER = secretOf("b");
const ADMIN = secretOf("a", "kwadm");
const TOKEN = tokenOf("a");

function named(headers: HeaderList) {
  return headers.map(([name, value]) => ({ name, value }));
}

function read(...headers: HeaderList) {
  return reader.read({ headers: named(headers), target: "/" });
}

describe("a key is taken from", () => {
  test.each([
    ["a bearer token", "authorization", `Bearer ${KEY}`],
    ["a scheme in small letters", "authorization", `bearer ${KEY}`],
    ["a scheme in capitals", "authorization", `BEARER ${KEY}`],
    ["a scheme in any case", "authorization", `bEaReR ${KEY}`],
    ["the scheme ApiKey", "authorization", `ApiKey ${KEY}`],
    ["the scheme apikey", "authorization", `apikey ${KEY}`],
    ["a scheme with more spaces behind it", "authorization", `Bearer   ${KEY}`],
    ["a scheme with a tab for its space", "authorization", `Bearer\t${KEY}`],
    ["a scheme with a space and a tab behind it", "authorization", `Bearer \t${KEY}`],
    ["a scheme between white space", "authorization", ` \tBearer ${KEY}\t `],
    ["a header of its own", "x-api-key", KEY],
    ["a header of its own between white space", "x-api-key", `\t ${KEY} \t`],
    ["a header of its own, under another prefix", "x-api-key", ADMIN],
    ["a bearer token that is signed", "authorization", `Bearer ${TOKEN}`],
    ["a header of its own that holds a signed one", "x-api-key", ` ${TOKEN}`],
  ])("%s", (_title, name, value) => {
    expect(read([name, value])).toEqual({
      secret: [ADMIN, TOKEN].find((secret) => value.includes(secret)) ?? KEY,
      carriers: { headers: [name] },
    });
  });

  test("two places that present the same, and both carried it", () => {
    const headers = ["authorization", "x-api-key"];
    expect(read(["authorization", `Bearer ${KEY}`], ["x-api-key", KEY])).toEqual({
      secret: KEY,
      carriers: { headers },
    });
    expect(read(["x-api-key", KEY], ["authorization", `ApiKey ${KEY}`])).toEqual({
      secret: KEY,
      carriers: { headers },
    });
  });

  test("its header beside an authorization that is another's", () => {
    const alone = { secret: KEY, carriers: { headers: ["x-api-key"] } };
    expect(read(["authorization", "Basic dXNlcjpwYXNz"], ["x-api-key", KEY])).toEqual(alone);
    expect(read(["authorization", 'Digest a="b", c="d"'], ["x-api-key", KEY])).toEqual(alone);
  });
});

describe("no credential is", () => {
  test.each([
    ["no header at all", []],
    ["another scheme", [["authorization", "Basic dXNlcjpwYXNz"]]],
    ["another scheme with a key of ours in it", [["authorization", `Token ${KEY}`]]],
    ["another scheme with commas", [["authorization", 'Digest username="a", realm="b", nonce="c"']]],
    ["another scheme with a parameter named like ours", [["authorization", 'Digest a="b", bearer="c"']]],
    [
      "another scheme twice",
      [
        ["authorization", "Basic a"],
        ["authorization", "Basic b"],
      ],
    ],
    ["a scheme one character longer", [["authorization", `Bearers ${KEY}`]]],
    ["a scheme one character shorter", [["authorization", `Beare ${KEY}`]]],
    ["a scheme with a colon", [["authorization", `Bearer: ${KEY}`]]],
    ["a key without a scheme", [["authorization", KEY]]],
    ["an empty authorization", [["authorization", ""]]],
    ["an authorization of white space", [["authorization", " \t "]]],
    ["an authorization of commas", [["authorization", ",,,"]]],
    ["an authorization that is not ASCII", [["authorization", "\xe9\xff"]]],
  ] as [string, HeaderList][])("%s", (_title, headers) => {
    expect(read(...headers)).toBe("no_credential");
  });
});

describe("an ambiguous credential is", () => {
  test.each([
    [
      "two keys in two places",
      [
        ["authorization", `Bearer ${KEY}`],
        ["x-api-key", OTHER],
      ],
    ],
    [
      "two keys in two places, the other way round",
      [
        ["x-api-key", OTHER],
        ["authorization", `ApiKey ${KEY}`],
      ],
    ],
    [
      "a key and a mistyped one",
      [
        ["authorization", `Bearer ${KEY}`],
        ["x-api-key", `${KEY}x`],
      ],
    ],
    [
      "a key and an empty header",
      [
        ["authorization", `Bearer ${KEY}`],
        ["x-api-key", ""],
      ],
    ],
    [
      "the same authorization twice",
      [
        ["authorization", `Bearer ${KEY}`],
        ["authorization", `Bearer ${KEY}`],
      ],
    ],
    [
      "the same header twice",
      [
        ["x-api-key", KEY],
        ["x-api-key", KEY],
      ],
    ],
    [
      "an empty header twice",
      [
        ["x-api-key", ""],
        ["x-api-key", ""],
      ],
    ],
    [
      "an authorization after another's",
      [
        ["authorization", "Basic a"],
        ["authorization", `Bearer ${KEY}`],
      ],
    ],
    [
      "an authorization before another's",
      [
        ["authorization", `Bearer ${KEY}`],
        ["authorization", "Basic a"],
      ],
    ],
    ["two keys in one authorization", [["authorization", `Bearer ${KEY},Bearer ${OTHER}`]]],
    ["the same key twice in one authorization", [["authorization", `Bearer ${KEY}, Bearer ${KEY}`]]],
    ["a comma behind a bearer token", [["authorization", `Bearer ${KEY},`]]],
    ["a comma before a bearer token", [["authorization", `,Bearer ${KEY}`]]],
    ["a comma in a bearer token", [["authorization", `Bearer ${KEY.slice(0, 9)},${KEY.slice(9)}`]]],
    ["a bearer token after another scheme", [["authorization", `Basic a, Bearer ${KEY}`]]],
    ["a bearer token after another's parameters", [["authorization", `Digest a="b", c="d",bearer ${KEY}`]]],
    ["a configured scheme alone after a comma", [["authorization", "Basic a, ApiKey"]]],
    ["two keys in one header", [["x-api-key", `${KEY},${OTHER}`]]],
    ["a comma behind a key", [["x-api-key", `${KEY},`]]],
    ["a comma alone", [["x-api-key", ","]]],
    [
      "a header with a comma beside a sound one",
      [
        ["authorization", `Bearer ${KEY}`],
        ["x-api-key", `${KEY},${KEY}`],
      ],
    ],
  ] as [string, HeaderList][])("%s", (_title, headers) => {
    expect(read(...headers)).toBe("ambiguous_credential");
  });
});

describe("a malformed credential is", () => {
  const changed = `${KEY.slice(0, -1)}${KEY.endsWith("0") ? "1" : "0"}`;
  test.each([
    ["a key with its last character changed", changed],
    ["a key cut by one character", KEY.slice(0, -1)],
    ["a key twice in a row", KEY + KEY],
    ["a key in small letters", KEY.toLowerCase()],
    ["a key with a space in it", `${KEY.slice(0, 9)} ${KEY.slice(9)}`],
    ["two keys with a space between them", `${KEY} ${OTHER}`],
    ["a key in quotes", `"${KEY}"`],
    ["a key behind a byte that looks like white space", `\xa0${KEY}`],
    ["a key behind a line end", `\n${KEY}`],
    ["another's token without a signature", "eyJhbGciOiJub25lIn0.e30."],
    ["a token of 64 KiB", `eyJhbGciOiJub25lIn0.e30.${"a".repeat(65_536)}`],
    ["a foreign prefix of an alphabet that is not ours", KEY.replace("kw_", "KW_")],
    ["letters that are not ASCII", "kl\xc3\xbcch"],
    ["64 KiB", "k".repeat(65_536)],
    ["nothing", ""],
    ["white space", " \t"],
  ])("%s, in any place", (_title, text) => {
    expect(read(["x-api-key", text])).toMatchObject({ malformed: true });
    expect(read(["authorization", `Bearer ${text}`])).toMatchObject({ malformed: true });
    expect(read(["authorization", `ApiKey ${text}`])).toMatchObject({ malformed: true });
  });

  test("a scheme of ours with nothing behind it", () => {
    expect(read(["authorization", "Bearer"])).toMatchObject({ malformed: true });
  });

  test("the same mistyped key in two places", () => {
    expect(read(["authorization", `Bearer ${changed}`], ["x-api-key", changed])).toMatchObject({ malformed: true });
  });
});

describe("where no credential is judged, ours is found in", () => {
  test.each([
    ["a bearer token", [["authorization", `bearer ${KEY}`]], ["authorization"]],
    ["a mistyped bearer token: not ours", [["authorization", `bearer ${KEY}x`]], []],
    ["a header of its own", [["x-api-key", ` ${KEY}`]], ["x-api-key"]],
    ["a header of its own with another's key: not ours", [["x-api-key", "sk-12345"]], []],
    [
      "both places",
      [
        ["authorization", `Bearer ${KEY}`],
        ["x-api-key", OTHER],
      ],
      ["authorization", "x-api-key"],
    ],
    [
      "one of two equal headers, once",
      [
        ["x-api-key", KEY],
        ["x-api-key", KEY],
      ],
      ["x-api-key"],
    ],
    [
      "one of two headers",
      [
        ["x-api-key", "sk-12345"],
        ["x-api-key", KEY],
      ],
      ["x-api-key"],
    ],
    ["one of several behind commas", [["x-api-key", `sk-12345, ${KEY}`]], ["x-api-key"]],
    ["a scheme behind another's parameters", [["authorization", `Digest a="b", ApiKey ${KEY}`]], ["authorization"]],
    ["another scheme: not ours", [["authorization", `Token ${KEY}`]], []],
    ["another scheme with commas: not ours", [["authorization", 'Digest a="b", c="d"']], []],
    ["an empty header: not ours", [["x-api-key", ""]], []],
    ["an admin key", [["x-api-key", ADMIN]], ["x-api-key"]],
    ["a signed key", [["authorization", `Bearer ${TOKEN}`]], ["authorization"]],
    ["a signed key behind another's", [["x-api-key", `sk-12345, ${TOKEN}`]], ["x-api-key"]],
    ["a signed key that was cut: not ours", [["x-api-key", TOKEN.slice(0, TOKEN.lastIndexOf(".") + 1)]], []],
    ["another's token: not ours", [["authorization", `Bearer ${TOKEN.slice(1)}`]], []],
  ] as [string, HeaderList, string[]][])("%s", (_title, headers, carriers) => {
    expect(reader.carriersOfSecrets({ headers: named(headers), target: "/" })).toEqual({ headers: carriers });
  });
});

describe("only the configured places are looked at:", () => {
  const headers: HeaderList = [
    ["authorization", `Bearer ${KEY}`],
    ["x-api-key", OTHER],
    ["x-key", ADMIN],
  ];
  test.each([
    ["a header only", [{ from: "header", name: "x-key" }], ["x-key"], ADMIN, "x-key"],
    ["a scheme only", [{ from: "scheme", name: "bearer" }], ["authorization"], KEY, "authorization"],
  ] as const)("%s", (_title, sources, watched, secret, carrier) => {
    const other = createCredentialReader(sources);
    expect(other.headers).toEqual(watched);
    const seen = named(headers.filter(([name]) => other.headers.includes(name)));
    expect(other.read({ headers: seen, target: "/" })).toEqual({ secret, carriers: { headers: [carrier] } });
  });

  test("a scheme that is not configured is another's", () => {
    const bearer = createCredentialReader([{ from: "scheme", name: "bearer" }]);
    const request = { headers: named([["authorization", `ApiKey ${KEY}`]]), target: "/" };
    expect(bearer.read(request)).toBe("no_credential");
    expect(reader.read(request)).toEqual({ secret: KEY, carriers: { headers: ["authorization"] } });
  });

  test("without any place there is nothing to look at", () => {
    const none = createCredentialReader([]);
    expect(none.headers).toEqual([]);
    expect(none.read({ headers: named(headers), target: `/?api_key=${KEY}` })).toBe("no_credential");
  });
});

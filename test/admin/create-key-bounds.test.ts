import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CreateKeyRequestSchema, KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { CLIENTS } from "./support/clients.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const HOUR_MS = 3_600_000;
const inTheFuture = new Date(Date.now() + HOUR_MS).toISOString();
const inThePast = new Date(Date.now() - HOUR_MS).toISOString();
const PLAIN = { name: "ci" };

const counted = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
const countedPaths = (count: number) => counted(count).map((name) => `/${name}`);
const path = (length: number) => `/${"p".repeat(length - 1)}`;

/** A request, and the fields that its refusal names; none: it makes a key. */
const ROWS: readonly (readonly [title: string, request: object, ...fields: string[]])[] = [
  ["a name of 1 character", { name: "x" }],
  ["an empty name", { name: "" }, "name"],
  ["no name", {}, "name"],
  ["a name of 200 characters", { name: "x".repeat(200) }],
  ["a name of 201 characters", { name: "x".repeat(201) }, "name"],
  ["a name of 10,000 characters", { name: "x".repeat(10_000) }, "name"],
  ["a name of 200 characters outside the basic plane", { name: "🔑".repeat(200) }],
  ["a name of 201 characters outside the basic plane", { name: "🔑".repeat(201) }, "name"],
  ["a name with a space", { name: "a b" }],
  ["a name with a line break", { name: "a\nb" }, "name"],
  ["a name with an escape character", { name: "a\u001bb" }, "name"],
  ["a name with a C1 control character", { name: "a\u0085b" }, "name"],

  ["a tenant of 1 character", { ...PLAIN, tenant: "a" }],
  ["a tenant of 63 characters", { ...PLAIN, tenant: "a".repeat(63) }],
  ["a tenant of 64 characters", { ...PLAIN, tenant: "a".repeat(64) }, "tenant"],
  ["a tenant with a hyphen inside", { ...PLAIN, tenant: "a-_9" }],
  ["a tenant that begins with a hyphen", { ...PLAIN, tenant: "-a" }, "tenant"],
  ["a tenant that begins with an underscore", { ...PLAIN, tenant: "_a" }, "tenant"],
  ["a tenant in lower case", { ...PLAIN, tenant: "acme" }],
  ["a tenant with an upper-case letter", { ...PLAIN, tenant: "Acme" }, "tenant"],
  ["a tenant with a dot", { ...PLAIN, tenant: "a.b" }, "tenant"],
  ["a tenant with a line break after it", { ...PLAIN, tenant: "acme\n" }, "tenant"],

  ["an owner that is a user", { ...PLAIN, owner: "user/alice" }],
  ["an owner that is a service", { ...PLAIN, owner: "service/ci" }],
  ["an owner that is a project", { ...PLAIN, owner: "project/p" }],
  ["an owner of another kind", { ...PLAIN, owner: "users/alice" }, "owner"],
  ["an owner of a kind in upper case", { ...PLAIN, owner: "User/alice" }, "owner"],
  ["an owner without a kind", { ...PLAIN, owner: "alice" }, "owner"],
  ["an owner with every sign that may stand in it", { ...PLAIN, owner: "user/A.z_0@x+y-z" }],
  ["an owner without a name", { ...PLAIN, owner: "user/" }, "owner"],
  ["an owner with a second slash", { ...PLAIN, owner: "user/a/b" }, "owner"],
  ["an owner with a space", { ...PLAIN, owner: "user/a b" }, "owner"],
  ["an owner with a line break after it", { ...PLAIN, owner: "user/a\n" }, "owner"],
  ["an owner whose name has 128 characters", { ...PLAIN, owner: `user/${"a".repeat(128)}` }],
  ["an owner whose name has 129 characters", { ...PLAIN, owner: `user/${"a".repeat(129)}` }, "owner"],

  ["a note of 2,000 characters", { ...PLAIN, note: "x".repeat(2_000) }],
  ["a note of 2,001 characters", { ...PLAIN, note: "x".repeat(2_001) }, "note"],
  ["a note with line breaks and tabs", { ...PLAIN, note: "a\r\n\tb" }],
  ["a note with a vertical tab", { ...PLAIN, note: "a\vb" }, "note"],
  ["a note with a zero byte", { ...PLAIN, note: "a\0b" }, "note"],

  ["no scopes", { ...PLAIN, scopes: [] }],
  ["an empty scope", { ...PLAIN, scopes: [""] }, "scopes[0]"],
  ["100 scopes", { ...PLAIN, scopes: counted(100) }],
  ["101 scopes", { ...PLAIN, scopes: counted(101) }, "scopes"],
  ["100 scopes, one of them twice", { ...PLAIN, scopes: [...counted(100), "s0"] }],
  ["a scope of 128 characters", { ...PLAIN, scopes: ["x".repeat(128)] }],
  ["a scope of 129 characters", { ...PLAIN, scopes: ["x".repeat(129)] }, "scopes[0]"],
  ["a scope with a colon", { ...PLAIN, scopes: ["api:read"] }],
  ["a scope with a space", { ...PLAIN, scopes: ["ok", "api read"] }, "scopes[1]"],
  ["a scope with a comma", { ...PLAIN, scopes: ["api,read"] }, "scopes[0]"],
  ["a scope with a quotation mark", { ...PLAIN, scopes: ['api"read'] }, "scopes[0]"],
  ["a scope with a backslash", { ...PLAIN, scopes: ["api\\read"] }, "scopes[0]"],
  ["a scope that is not ASCII", { ...PLAIN, scopes: ["api:café"] }, "scopes[0]"],
  ["a scope whose whole last segment is a star", { ...PLAIN, scopes: ["orders:*"] }],
  ["a scope whose last segment ends with a star", { ...PLAIN, scopes: ["orders:r*"] }, "scopes[0]"],
  ["a scope that is a star", { ...PLAIN, scopes: ["*"] }],
  ["a scope of two stars", { ...PLAIN, scopes: ["**"] }, "scopes[0]"],
  ["a scope whose first segment is a star", { ...PLAIN, scopes: ["*:read"] }, "scopes[0]"],

  ["a path", { ...PLAIN, paths: ["/v1"] }],
  ["a path that does not begin with a slash", { ...PLAIN, paths: ["/ok", "v1"] }, "paths[1]"],
  ["an empty path", { ...PLAIN, paths: [""] }, "paths[0]"],
  ["a path for that one only", { ...PLAIN, paths: ["=/v1"] }],
  ["an equals sign without a slash", { ...PLAIN, paths: ["=v1"] }, "paths[0]"],
  ["an equals sign alone", { ...PLAIN, paths: ["="] }, "paths[0]"],
  ["two equals signs", { ...PLAIN, paths: ["==/v1"] }, "paths[0]"],
  ["the root", { ...PLAIN, paths: ["/"] }],
  ["the root only", { ...PLAIN, paths: ["=/"] }],
  ["a path that ends with a slash", { ...PLAIN, paths: ["/v1/"] }, "paths[0]"],
  ["a path for that one only that ends with a slash", { ...PLAIN, paths: ["=/v1/"] }, "paths[0]"],
  ["50 paths", { ...PLAIN, paths: countedPaths(50) }],
  ["51 paths", { ...PLAIN, paths: countedPaths(51) }, "paths"],
  ["a path of 1,024 characters", { ...PLAIN, paths: [path(1_024)] }],
  ["a path of 1,025 characters", { ...PLAIN, paths: [path(1_025)] }, "paths[0]"],
  ["a path with an escape of UTF-8", { ...PLAIN, paths: ["/caf%C3%A9"] }],
  ["a path that is not ASCII", { ...PLAIN, paths: ["/café"] }, "paths[0]"],
  ["a path with an escape that is not UTF-8", { ...PLAIN, paths: ["/caf%C3%28"] }, "paths[0]"],
  ["a path with an overlong escape", { ...PLAIN, paths: ["/%c0%ae"] }, "paths[0]"],
  ["a path with two dots inside a segment", { ...PLAIN, paths: ["/a..b"] }],
  ["a path with a segment of two dots", { ...PLAIN, paths: ["/a/../b"] }, "paths[0]"],
  ["a path with a segment of one dot", { ...PLAIN, paths: ["/a/./b"] }, "paths[0]"],
  ["a path with an escaped dot", { ...PLAIN, paths: ["/a/%2e/b"] }, "paths[0]"],
  ["a path with two slashes together", { ...PLAIN, paths: ["/a//b"] }, "paths[0]"],
  ["a path with an escaped slash", { ...PLAIN, paths: ["/a%2fb"] }, "paths[0]"],
  ["a path with a backslash", { ...PLAIN, paths: ["/a\\b"] }, "paths[0]"],
  ["a path with an escaped backslash", { ...PLAIN, paths: ["/a%5Cb"] }, "paths[0]"],
  ["a path with a semicolon", { ...PLAIN, paths: ["/a;b"] }, "paths[0]"],
  ["a path with an escaped semicolon", { ...PLAIN, paths: ["/a%3bb"] }, "paths[0]"],
  ["a path with a question mark", { ...PLAIN, paths: ["/a?b"] }, "paths[0]"],
  ["a path with an escaped question mark", { ...PLAIN, paths: ["/a%3fb"] }, "paths[0]"],
  ["a path with a number sign", { ...PLAIN, paths: ["/a#b"] }, "paths[0]"],
  ["a path with an escaped number sign", { ...PLAIN, paths: ["/a%23b"] }, "paths[0]"],
  ["a path with an escaped percent sign", { ...PLAIN, paths: ["/a%25b"] }, "paths[0]"],
  ["a path with half an escape", { ...PLAIN, paths: ["/a%2"] }, "paths[0]"],
  ["a path with an escape that is not hexadecimal", { ...PLAIN, paths: ["/a%zz"] }, "paths[0]"],
  ["a path with a control character", { ...PLAIN, paths: ["/a\tb"] }, "paths[0]"],
  ["a path with a space", { ...PLAIN, paths: ["/a b"] }, "paths[0]"],

  ["valid from 1970 on", { ...PLAIN, not_before: "1970-01-01T00:00:00Z" }],
  ["valid from 1969 on", { ...PLAIN, not_before: "1969-12-31T23:59:59Z" }, "not_before"],
  ["an expiry in the future", { ...PLAIN, expires_at: inTheFuture }],
  ["an expiry in the past", { ...PLAIN, expires_at: inThePast }, "expires_at"],
  ["an expiry before 1970", { ...PLAIN, expires_at: "1969-12-31T23:59:59Z" }, "expires_at"],
  ["an expiry at the end of 9999", { ...PLAIN, expires_at: "9999-12-31T23:59:59Z" }],
  [
    "an expiry a second after the beginning",
    { ...PLAIN, not_before: "2999-01-01T00:00:00Z", expires_at: "2999-01-01T00:00:01Z" },
  ],
  [
    "an expiry at the beginning",
    { ...PLAIN, not_before: "2999-01-01T00:00:00Z", expires_at: "2999-01-01T00:00:00Z" },
    "expires_at",
  ],
  ["a lifetime of 1 second", { ...PLAIN, expires_in: "1s" }],
  ["a lifetime of 0 seconds", { ...PLAIN, expires_in: "0s" }, "expires_in"],
  ["a lifetime below 0", { ...PLAIN, expires_in: "-1s" }, "expires_in"],
  ["a lifetime of one and a half seconds", { ...PLAIN, expires_in: "1.5s" }, "expires_in"],
  ["a lifetime of 100 years", { ...PLAIN, expires_in: "3155760000s" }],
  ["a lifetime of 100 years and a second", { ...PLAIN, expires_in: "3155760001s" }, "expires_in"],
  [
    "a lifetime that ends before the beginning",
    { ...PLAIN, not_before: "2999-01-01T00:00:00Z", expires_in: "60s" },
    "expires_in",
  ],

  [
    "several wrong fields",
    { name: "", tenant: "A", owner: "x", expires_in: "0s" },
    "name",
    "tenant",
    "owner",
    "expires_in",
  ],
];

describe("CreateKey", () => {
  test.each(ROWS.filter((row) => row.length === 2))("%s makes a key", async (_, request) => {
    const { status, answer } = await served().post("KeyService/CreateKey", request);
    expect({ status, answer }).toMatchObject({ status: 200, answer: { secret: expect.stringMatching(/^kw_/) } });
  });

  test.each(ROWS.filter((row) => row.length > 2))("%s is refused by its field", async (_, request, ...fields) => {
    const { status, refused } = await served().post("KeyService/CreateKey", request);
    const code = "invalid_argument";
    expect({ status, refused }).toMatchObject({ status: 400, refused: { code, reason: "INVALID_ARGUMENT", fields } });
  });

  test.each([
    ["an empty name", { name: "" }, "is required"],
    ["a name that is too long", { name: "x".repeat(10_000) }, "has 10000 characters; it must have <= 200"],
    ["too many scopes", { ...PLAIN, scopes: counted(101) }, "has 101 items; it must have <= 100"],
    [
      "an expiry in the past",
      { ...PLAIN, expires_at: "2001-02-03T04:05:06Z" },
      "2001-02-03T04:05:06.000Z must be in the future",
    ],
    ["an ambiguous path", { ...PLAIN, paths: ["/a//b"] }, '"/a//b" can be read in more than one way'],
    ["a path without its slash", { ...PLAIN, paths: ["v1"] }, '"v1" must begin with "/" or "=/"'],
    [
      "a lifetime that is too long",
      { ...PLAIN, expires_in: "3155760001s" },
      "must be whole seconds >= 1 and <= 3155760000",
    ],
  ])("the refusal of %s says value and bound", async (_, request, description) => {
    const { refused } = await served().post("KeyService/CreateKey", request);
    expect(refused?.descriptions).toEqual([description]);
    expect(refused?.message).toBe(`${refused?.fields[0]} ${description}`);
  });

  test.each([
    ["valid from the last second of 9999 on", { notBefore: { seconds: 253_402_300_799n } }],
    ["valid from the year 10000 on", { notBefore: { seconds: 253_402_300_800n } }, "not_before"],
    [
      "an expiry in the year 10000",
      { expiry: { case: "expiresAt", value: { seconds: 253_402_300_800n } } },
      "expires_at",
    ],
    [
      "an expiry beyond what a date can say",
      { expiry: { case: "expiresAt", value: { seconds: 2n ** 62n } } },
      "expires_at",
    ],
    [
      "a lifetime beyond what a number can say",
      { expiry: { case: "expiresIn", value: { seconds: 2n ** 62n } } },
      "expires_in",
    ],
    ["a lifetime that is all nanoseconds", { expiry: { case: "expiresIn", value: { nanos: 1 } } }, "expires_in"],
  ] as const)("in binary, where times are numbers: %s", async (_, times, ...fields) => {
    const client = CLIENTS["Connect over HTTP/1.1"]?.(served().socket) ?? served().local;
    const request = create(CreateKeyRequestSchema, { ...PLAIN, ...times });
    const refused = await client.call(KeyService.method.createKey, request).then(
      () => [],
      (error) => error.fields,
    );
    expect(refused).toEqual(fields);
  });

  test.each<[title: string, scopes: string[], ...fields: string[]]>([
    ["two wrong scopes are looked at", ['"1', '"2'], "scopes[0]", "scopes[1]"],
    ["one that stands twice is looked at once", ['"1', '"1'], "scopes[0]"],
    ["of too many none is looked at", Array.from({ length: 101 }, (_, at) => `"${at}`), "scopes"],
  ])("%s", async (_, scopes, ...fields) => {
    const { refused } = await served().post("KeyService/CreateKey", { ...PLAIN, scopes });
    expect(refused?.fields).toEqual(fields);
  });

  test("a key is kept in one form: no scope twice, paths as they are compared, no path twice", async () => {
    const { answer } = await served().post("KeyService/CreateKey", {
      ...PLAIN,
      scopes: ["b", "a", "b"],
      paths: ["/%7ealice", "/~alice", "=/caf%c3%a9"],
    });
    expect(answer.key).toMatchObject({ scopes: ["b", "a"], paths: ["/~alice", "=/caf%C3%A9"] });
  });

  test("a lifetime counts from the creation", async () => {
    const { answer } = await served().post("KeyService/CreateKey", { ...PLAIN, expires_in: "600s" });
    const { createdAt, expiresAt } = answer.key as { createdAt: string; expiresAt: string };
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(600_000);
  });
});

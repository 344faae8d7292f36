import type { JsonObject } from "@bufbuild/protobuf";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({
  env: SIGNING_ENV,
  config: "jwt: { issuer: https://keys.example.com/, audience: orders }\n",
});

const JWT = "KEY_FORMAT_JWT";

interface Signed {
  readonly key: JsonObject;
  readonly token: string;
}

/** Creates a signed key, or calls what else makes one. */
async function signed(request: object, method = "KeyService/CreateKey"): Promise<Signed> {
  const body = method === "KeyService/CreateKey" ? { name: "k", format: JWT, ...request } : request;
  const { answer, refused } = await served().post(method, body);
  if (refused !== undefined) throw refused;
  return { key: answer.key as JsonObject, token: String(answer.secret) };
}

async function refusalOf(request: object, method = "KeyService/CreateKey") {
  return (await served().post(method, { name: "k", ...request })).refused;
}

const seconds = (time: unknown) => Date.parse(String(time)) / 1000;

describe("the token of a signed key", () => {
  test.each([
    { alg: "RS256", request: {} },
    { alg: "RS256", request: { alg: "RS256" } },
    { alg: "ES256", request: { alg: "ES256" } },
    { alg: "EdDSA", request: { alg: "EdDSA" } },
  ])("is signed with $alg where $request asks for it, and its header begins with the kid", async ({ alg, request }) => {
    const { key, token } = await signed(request);
    const header = decodeProtectedHeader(token);
    expect(Object.entries(header)).toEqual([
      ["kid", expect.stringMatching(/^kwsk_[0-9A-Za-z]{20}$/)],
      ["typ", "JWT"],
      ["alg", alg],
    ]);
    expect(key).toMatchObject({ format: JWT, alg, start: `jwt_${token.split(".")[2]?.slice(0, 8)}` });
  });

  test("says whose it is, for whom, from when to when, and what it grants", async () => {
    const expiresAt = "2199-12-31T23:59:59Z";
    const notBefore = "2001-02-03T04:05:06Z";
    const who = { tenant: "acme", owner: "service/ci" };
    const { key, token } = await signed({ ...who, scopes: ["a:b", "c:*"], expiresAt, notBefore });
    expect(decodeJwt(token)).toEqual({
      iss: "https://keys.example.com/",
      sub: "service/ci",
      aud: "orders",
      iat: Math.floor(seconds(key.createdAt)),
      nbf: seconds(notBefore),
      exp: seconds(expiresAt),
      jti: key.id,
      key_id: key.id,
      tenant: "acme",
      scopes: ["a:b", "c:*"],
    });
  });

  test("says nothing of an end, a beginning or a tenant that there is not; without owner it is about the key", async () => {
    const { key, token } = await signed({ neverExpires: true });
    expect(decodeJwt(token)).toEqual({
      iss: "https://keys.example.com/",
      sub: key.id,
      aud: "orders",
      iat: Math.floor(seconds(key.createdAt)),
      jti: key.id,
      key_id: key.id,
      scopes: [],
    });
  });

  test.each([
    { title: "the owner's list cuts", owner: "user/cut", own: { scopes: ["a", "b"] }, granted: ["b"] },
    { title: "the owner has", owner: "user/rich", own: { inheritScopes: true }, granted: ["b", "c"] },
    { title: "nobody cuts", owner: "user/unknown", own: { scopes: ["a", "b"] }, granted: ["a", "b"] },
  ])("grants what $title", async ({ owner, own, granted }) => {
    if (owner !== "user/unknown") {
      await served().post("OwnerService/CreateOwner", { owner, scopes: ["b", "c"], limitScopes: true });
    }
    expect(decodeJwt((await signed({ owner, ...own })).token).scopes).toEqual(granted);
  });

  test("ends and begins with the key, in whole seconds of which none is longer than asked for", async () => {
    const times = { notBefore: "2190-01-01T00:00:00.001Z", expiresAt: "2190-01-01T00:00:02.999Z" };
    const { key, token } = await signed(times);
    expect(key).toMatchObject({ notBefore: "2190-01-01T00:00:01Z", expiresAt: "2190-01-01T00:00:02Z" });
    const { nbf, exp } = decodeJwt(token);
    expect([nbf, exp]).toEqual([seconds(key.notBefore), seconds(key.expiresAt)]);
  });

  test("that is to end after a while ends with its key", async () => {
    const { key, token } = await signed({ expiresIn: "600s" });
    expect(decodeJwt(token).exp).toBe(seconds(key.expiresAt));
    expect(seconds(key.expiresAt)).toBe(Math.floor(seconds(key.createdAt) + 600));
  });

  test("of a life without a whole second is not made", async () => {
    const life = { notBefore: "2190-01-01T00:00:01.001Z", expiresAt: "2190-01-01T00:00:02.001Z" };
    expect(await refusalOf({ ...life, format: JWT })).toMatchObject({
      code: "invalid_argument",
      fields: ["not_before"],
    });
    expect(await refusalOf(life)).toBeUndefined();
    expect(await refusalOf({ ...life, expiresAt: "2190-01-01T00:00:03Z", format: JWT })).toBeUndefined();
  });
});

describe("what is asked of a key's secret", () => {
  test.each([
    { title: "an alg without the format", request: { alg: "RS256" }, field: "alg" },
    { title: "an alg of an opaque key", request: { format: "KEY_FORMAT_OPAQUE", alg: "RS256" }, field: "alg" },
    { title: "an alg that nobody should use", request: { format: JWT, alg: "none" }, field: "alg" },
    { title: "an alg of a shared secret", request: { format: JWT, alg: "HS256" }, field: "alg" },
    { title: "an alg in another case", request: { format: JWT, alg: "rs256" }, field: "alg" },
    { title: "a prefix of a signed key", request: { format: JWT, prefix: "acme" }, field: "prefix" },
    { title: "a format that there is not", request: { format: 3 }, field: "format" },
  ])("is refused where it is $title", async ({ request, field }) => {
    expect(await refusalOf(request)).toMatchObject({ code: "invalid_argument", fields: [field] });
  });

  test.each([
    { title: "an opaque one", request: { format: "KEY_FORMAT_OPAQUE" }, start: "kw_" },
    { title: "nothing said", request: { format: "KEY_FORMAT_UNSPECIFIED" }, start: "kw_" },
    { title: "an opaque one with a prefix", request: { format: "KEY_FORMAT_OPAQUE", prefix: "jwt" }, start: "jwt_" },
    { title: "a signed one", request: { format: JWT, alg: "ES256" }, start: "eyJraWQiOiJrd3Nr" },
  ])("may be $title", async ({ request, start }) => {
    const { answer } = await served().post("KeyService/CreateKey", { name: "k", ...request });
    expect(String(answer.secret).slice(0, start.length)).toBe(start);
  });
});

describe("a token", () => {
  /** Fills a token but for the last scope, which makes it as long as one likes. */
  const scopesOf = (last: number) => [
    ...Array.from({ length: 47 }, (_, index) => `${index}:`.padEnd(120, "x")),
    "y".repeat(last),
  ];

  test("is as long as 8,192 characters, and no longer", async () => {
    const lengths = Array.from({ length: 128 }, (_, index) => index + 1);
    let longest = 0;
    let refused: Awaited<ReturnType<typeof refusalOf>>;
    for (const last of lengths) {
      refused = await refusalOf({ format: JWT, alg: "ES256", scopes: scopesOf(last), validateOnly: true });
      if (refused !== undefined) break;
      longest = last;
    }
    const length = Number(/of (\d+) characters; it must have <= 8192$/.exec(refused?.message ?? "")?.[1]);
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["scopes"] });
    expect(length).toBeGreaterThan(8192);
    const { key, token } = await signed({ alg: "ES256", scopes: scopesOf(longest) });
    expect(token.length).toBeLessThanOrEqual(8192);
    // One character more would have been one or two more of base64url.
    expect(length - token.length).toBeLessThanOrEqual(2);
    const { answer } = await served().post("KeyService/GetKey", { key: token });
    expect(answer.key).toEqual(key);
    expect(await refusalOf({ format: JWT, alg: "ES256", scopes: scopesOf(longest + 1) })).toMatchObject({
      message: refused?.message,
    });
  });

  test("that what is inherited makes too long names inherit_scopes", async () => {
    const owner = "user/very-rich";
    const scopes = scopesOf(128);
    await served().post("OwnerService/CreateOwner", { owner, scopes, limitScopes: true });
    expect(await refusalOf({ format: JWT, owner, inheritScopes: true })).toMatchObject({ fields: ["inherit_scopes"] });
    expect(await refusalOf({ owner, inheritScopes: true })).toBeUndefined();
  });

  test("names its key, as do its start and the first eight characters of its signature", async () => {
    const { key, token } = await signed({});
    for (const name of [token, String(key.start), String(key.start).slice(4)]) {
      const { answer } = await served().post("KeyService/GetKey", { key: name });
      expect(answer.key).toEqual(key);
    }
    const changed = token.slice(0, -2) + (token.endsWith("AA") ? "BB" : "AA");
    expect((await served().post("KeyService/GetKey", { key: changed })).refused?.reason).toBe("KEY_NOT_FOUND");
  });
});

describe("a request id", () => {
  test("makes one signed key, whose token only the first answer has", async () => {
    const request = { name: "k", format: JWT, owner: "service/retry", requestId: "signed-1" };
    const first = await served().post("KeyService/CreateKey", request);
    const second = await served().post("KeyService/CreateKey", request);
    expect(first.answer.secret).toMatch(/^eyJ/);
    expect(second.answer).toEqual({ key: first.answer.key, enforced: true });
  });

  test("makes one key of requests that come while the first is being signed, in CreateKey as in RotateKey", async () => {
    const request = { name: "k", format: JWT, owner: "service/hurry", requestId: "signed-2" };
    const all = async (method: string, body: object) =>
      Promise.all(Array.from({ length: 8 }, async () => (await served().post(method, body)).answer));
    const created = await all("KeyService/CreateKey", request);
    const ids = new Set(created.map(({ key }) => (key as JsonObject).id));
    expect([ids.size, created.filter(({ secret }) => secret !== undefined).length]).toEqual([1, 1]);
    const [id] = ids;
    const rotated = await all("KeyService/RotateKey", { key: id, requestId: "signed-3" });
    expect(new Set(rotated.map(({ key }) => (key as JsonObject).predecessor))).toEqual(new Set([id]));
    expect(new Set(rotated.map(({ key }) => (key as JsonObject).id)).size).toBe(1);
    expect(rotated.filter(({ secret }) => secret !== undefined)).toHaveLength(1);
  });
});

describe("the successor of a signed key", () => {
  test("is signed with the same alg, by the signing key in use, and says the same", async () => {
    const before = await signed({ alg: "EdDSA", owner: "service/ci", scopes: ["a"], expiresIn: "600s" });
    const rotation = await served().post("SystemService/RotateSigningKey", { alg: "EdDSA" });
    const { kid } = rotation.answer.signingKey as JsonObject;
    const after = await signed({ key: before.key.id }, "KeyService/RotateKey");
    expect(decodeProtectedHeader(after.token)).toEqual({ kid, typ: "JWT", alg: "EdDSA" });
    expect(decodeProtectedHeader(before.token).kid).not.toBe(kid);
    const id = after.key.id;
    const { iat } = decodeJwt(after.token);
    expect(decodeJwt(after.token)).toEqual({ ...decodeJwt(before.token), iat, jti: id, key_id: id });
    expect(after.key).toMatchObject({ format: JWT, alg: "EdDSA", predecessor: before.key.id });
  });

  test("that would be too long is not made", async () => {
    const owner = "user/grows";
    const { key } = await signed({ owner, scopes: Array.from({ length: 40 }, (_, index) => `${index}:*`) });
    const beyond = Array.from({ length: 100 }, (_, index) => `${index % 40}:`.padEnd(120, `${index}`));
    await served().post("OwnerService/CreateOwner", { owner, scopes: beyond, limitScopes: true });
    const { refused } = await served().post("KeyService/RotateKey", { key: key.id });
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["scopes"] });
    expect((await served().post("KeyService/GetKey", { key: key.id })).answer.key).toEqual(key);
  });
});

test("a token that was pasted into a text is not stored", async () => {
  const { token } = await signed({});
  const refused = await refusalOf({ note: `it is ${token}` });
  expect(refused).toMatchObject({ code: "invalid_argument", fields: ["note"] });
  expect(refused?.message).not.toContain(token.slice(-40));
});

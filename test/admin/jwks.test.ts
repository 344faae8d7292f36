import type { JsonObject } from "@bufbuild/protobuf";
import { decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { SIGNING_ALGS } from "../../src/key/signing-alg.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { type HttpRequest, sendHttp1, sendHttp2 } from "./support/http.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({ env: SIGNING_ENV });

const path = "/.well-known/jwks.json";

const SENDERS = { "HTTP/1.1": sendHttp1, h2c: sendHttp2 } as const;

/** Every listener and version of HTTP on which it is served. */
const WAYS = (["HTTP/1.1", "h2c"] as const).flatMap((version) => [
  [version, "the port", (request: HttpRequest) => SENDERS[version](served().keyward.admin, request)] as const,
  [version, "the local socket", (request: HttpRequest) => SENDERS[version](served().socket, request)] as const,
]);

async function jwks(request: Partial<HttpRequest> = {}) {
  return sendHttp1(served().keyward.admin, { path, method: "GET", ...request });
}

async function signedKid(more: object = {}): Promise<string> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", format: "KEY_FORMAT_JWT", ...more });
  return String(decodeProtectedHeader(String(answer.secret)).kid);
}

async function publishedKids(): Promise<string[]> {
  return JSON.parse((await jwks()).body).keys.map(({ kid }: JsonObject) => kid);
}

test("before anything was signed the set is empty, and not missing", async () => {
  expect(await jwks()).toMatchObject({ status: 200, body: '{"keys":[]}' });
});

describe.each(WAYS)("over %s on %s", (_, __, send) => {
  test("GET is answered without an admin key, for five minutes in caches", async () => {
    await signedKid();
    const { status, headers, body } = await send({ path, method: "GET" });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/jwk-set+json",
      "cache-control": "public, max-age=300",
      "content-length": String(Buffer.byteLength(body)),
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    expect(JSON.parse(body).keys.length).toBeGreaterThan(0);
  });

  test("HEAD is answered with the headers of GET", async () => {
    await signedKid();
    const [head, get] = [await send({ path, method: "HEAD" }), await send({ path, method: "GET" })];
    const { date: _, ...headers } = get.headers;
    expect(head).toMatchObject({ status: 200, headers, body: "" });
  });

  test("who has the set already gets 304, until it changes", async () => {
    await signedKid();
    const { etag = "" } = (await send({ path, method: "GET" })).headers;
    const again = await send({ path, method: "GET", headers: { "if-none-match": etag } });
    expect(again).toMatchObject({ status: 304, body: "" });
    expect(again.headers).toMatchObject({ etag, "cache-control": "public, max-age=300" });
    expect(again.headers).not.toHaveProperty("content-type");
    await served().post("SystemService/RotateSigningKey", {});
    expect(await send({ path, method: "GET", headers: { "if-none-match": etag } })).toMatchObject({ status: 200 });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])(
    "%s is not allowed, and what is, is told",
    async (method) => {
      expect(await send({ path, method })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" }, body: "" });
    },
  );

  test.each([`${path}/`, "/.well-known/", "/.well-known/jwks", "/jwks.json", "/.WELL-KNOWN/jwks.json", `/${path}`])(
    "there is nothing at %s",
    async (other) => {
      expect(await send({ path: other, method: "GET" })).toMatchObject({ status: 404, body: "" });
    },
  );

  test("a query changes nothing", async () => {
    expect(await send({ path: `${path}?a=b`, method: "GET" })).toMatchObject({ status: 200 });
  });
});

test.each<[title: string, ifNoneMatch: (etag: string) => string, status: number]>([
  ["the weak form", (etag) => `W/${etag}`, 304],
  ["one of a list", (etag) => `"x", ${etag} , W/"y"`, 304],
  ["any", () => "*", 304],
  ["another", (etag) => etag.replace(/.(?=.$)/, "!"), 200],
  ["one without its quotes", (etag) => etag.slice(1, -1), 200],
  ["nothing", () => "", 200],
])("If-None-Match with %s is answered as HTTP asks", async (_, ifNoneMatch, status) => {
  const { etag = "" } = (await jwks()).headers;
  expect((await jwks({ headers: { "if-none-match": ifNoneMatch(etag) } })).status).toBe(status);
});

test.each<[alg: (typeof SIGNING_ALGS)[number], members: string[]]>([
  ["RS256", ["alg", "e", "kid", "kty", "n", "use"]],
  ["ES256", ["alg", "crv", "kid", "kty", "use", "x", "y"]],
  ["EdDSA", ["alg", "crv", "kid", "kty", "use", "x"]],
])("of a signing key for %s the set has kid, alg, use and the public members, and no other", async (alg, members) => {
  const kid = await signedKid({ alg });
  const keys: JsonObject[] = JSON.parse((await jwks()).body).keys;
  const [key] = keys.filter((candidate) => candidate.kid === kid);
  expect(key).toMatchObject({ kid, alg, use: "sig" });
  expect(Object.keys(key ?? {}).toSorted()).toEqual(members);
});

test("a retired signing key stays while a token of it has not ended, and is gone once it is withdrawn", async () => {
  const first = await signedKid({ alg: "ES256", expiresIn: "3600s" });
  const rotated = await served().post("SystemService/RotateSigningKey", { alg: "ES256" });
  const second = String((rotated.answer.signingKey as JsonObject).kid);
  expect(rotated.answer.earlier).toMatchObject([{ kid: first, alg: "ES256" }]);
  expect(await publishedKids()).toEqual(expect.arrayContaining([first, second]));
  const withdrawn = await served().post("SystemService/RotateSigningKey", { alg: "ES256", withdrawEarlier: true });
  expect(withdrawn.answer).not.toHaveProperty("earlier");
  const kids = await publishedKids();
  expect(kids).toContain((withdrawn.answer.signingKey as JsonObject).kid);
  expect(kids.filter((kid) => kid === first || kid === second)).toEqual([]);
});

test.each(SIGNING_ALGS)("no private half of %s is in the set, in use or retired", async (alg) => {
  await signedKid({ alg });
  await served().post("SystemService/RotateSigningKey", { alg });
  const keys: JsonObject[] = JSON.parse((await jwks()).body).keys;
  const known = ["alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"];
  expect(keys.flatMap((key) => Object.keys(key)).filter((name) => !known.includes(name))).toEqual([]);
});

import { createHash, hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { secretOf } from "../support/sample-keys.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({
  config: "scopes: { orders:read: {}, orders:write: {} }\nkey_lifetime: { max: 3650d, default: 365d }\n",
});

const IMPORT = "KeyService/ImportKeys";
const TAKEN = "has the same secret as another key, in the store or in this import";

let client: CheckClient;
beforeAll(() => {
  client = createCheckClient(served().keyward.authz);
});
afterAll(() => client.close());

let number = 0;

/** A key whose secret nobody has, on line 1. */
function keyOf(more: object = {}): { line: number } {
  const sha256 = hash("sha256", `a secret of its own: ${++number}`, "base64");
  return { line: 1, name: "x", sha256, ...more } as { line: number };
}

async function importOf(keys: readonly object[], more: object = { commit: true }) {
  return served().post(IMPORT, { source: "kong", keys, ...more });
}

const inYears = (years: number) => new Date(Date.now() + years * 365 * 86_400_000).toISOString();

describe("keys are imported", () => {
  test("with all that is said of them, and open", async () => {
    const secret = "legacy/key+of=kong";
    const said = {
      tenant: "acme",
      owner: "service/ci",
      note: "a\nb",
      scopes: ["orders:read"],
      paths: ["/v1"],
      methods: ["GET"],
      cidrs: ["127.0.0.0/8"],
      metadata: { team: "payments" },
      rateLimit: { requests: 5, window: "60s" },
    };
    const key = { ...keyOf(said), sha256: hash("sha256", secret, "base64"), start: "legacy", name: "old" };
    const { answer } = await importOf([{ ...key, expiresAt: inYears(1) }]);
    expect(answer).toEqual({ importedCount: 1, enforced: true });
    const found = await served().post("KeyService/GetKey", { key: secret });
    expect(found.answer.key).toMatchObject({ ...said, name: "old", start: "legacy", source: "kong" });
    // From an address that is not known.
    expect(await client.present(secret)).toMatchObject({ reason: "address_not_allowed" });
    expect(await client.present(`${secret}=`)).toMatchObject({ reason: "unknown_key" });
  });

  test("in several calls, and not before the last", async () => {
    const first = await importOf([keyOf()], {});
    expect(first.answer).toEqual({ importId: expect.stringMatching(/^import_[0-9A-Za-z]{20}$/) });
    const { importId } = first.answer;
    const second = await importOf([keyOf()], { importId, commit: true });
    expect(second.answer).toEqual({ importedCount: 2, enforced: true });
    const third = await importOf([keyOf()], { importId, commit: true });
    expect(third.refused).toMatchObject({ code: "not_found", reason: "IMPORT_NOT_FOUND" });
  });

  test("not with validate_only, which says how many would be", async () => {
    const key = keyOf();
    const { answer } = await importOf([key], { commit: true, validateOnly: true });
    expect(answer).toEqual({ importedCount: 1 });
    expect((await importOf([key])).answer).toMatchObject({ importedCount: 1 });
  });

  test("as disabled, to be enabled later", async () => {
    const secret = "a disabled one".replaceAll(" ", "-");
    await importOf([{ ...keyOf({ disabled: true }), sha256: hash("sha256", secret, "base64") }]);
    const { answer } = await served().post("KeyService/EnableKey", { key: secret });
    expect(answer.key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test("with the default life, where no end is said", async () => {
    const secret = "without-an-end-of-its-own";
    await importOf([{ ...keyOf(), sha256: hash("sha256", secret, "base64") }]);
    const { answer } = await served().post("KeyService/GetKey", { key: secret });
    const { expiresAt } = answer.key as { expiresAt: string };
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(365);
  });

  test("by their SHA-512, and are found by the key", async () => {
    const secret = "known-by-its-sha-512";
    const sha512 = createHash("sha512").update(secret).digest();
    const { answer } = await importOf([{ line: 1, name: "x", sha512: sha512.toString("base64") }]);
    expect(answer).toMatchObject({ importedCount: 1 });
    const check = (presented: string) => client.present(presented);
    expect(await check(secret)).toMatchObject({ reason: "allowed" });
    expect(await check(`${secret}x`)).toMatchObject({ reason: "unknown_key" });
    expect(await check(sha512.toString("hex"))).toMatchObject({ reason: "unknown_key" });
    const found = await served().post("KeyService/GetKey", { key: secret });
    expect(found.answer.key).toMatchObject({ name: "x", source: "kong" });
  });

  test("and get a successor of our own form when they are rotated", async () => {
    const secret = "sk_live_0123456789";
    await importOf([{ ...keyOf(), sha256: hash("sha256", secret, "base64"), start: "SK-live-0123" }]);
    const { answer } = await served().post("KeyService/RotateKey", { key: secret });
    expect(answer).toMatchObject({ secret: expect.stringMatching(/^kw_/), rotated: { source: "kong" } });
    expect(answer.key).not.toHaveProperty("source");
  });

  test("and are revoked like any other", async () => {
    const secret = "soon-to-be-revoked";
    await importOf([{ ...keyOf(), sha256: hash("sha256", secret, "base64") }]);
    await served().post("KeyService/RevokeKey", { key: secret });
    expect(await client.present(secret)).toMatchObject({ reason: "key_revoked" });
  });
});

describe("a key is refused by its line, and with it the import, for", () => {
  const own = secretOf("in a note");
  const pasted = "the-key-itself";
  const ofPasted = { sha256: hash("sha256", pasted, "base64") };
  test.each<[string, object, string]>([
    ["no hash", { sha256: undefined }, "hash is required: sha256 or sha512"],
    ["a short hash", { sha256: "AAAA" }, "sha256 has 3 bytes; it must have 32"],
    ["another hash's length", { sha256: undefined, sha512: "AAAA" }, "sha512 has 3 bytes; it must have 64"],
    ["no name", { name: "" }, "name is required"],
    ["a scope that is not defined", { scopes: ["orders:delete"] }, '"orders:delete" is not among the scopes'],
    ["an owner of no kind", { owner: "ci" }, 'owner "ci" must be'],
    ["two things", { name: "", paths: ["v1"] }, 'name is required; paths[0] "v1" must begin with'],
    ["a time that is over", { expiresAt: "2020-01-01T00:00:00Z" }, "must be in the future"],
    ["too long a life", { expiresAt: inYears(11) }, "must end within 3650d (key_lifetime.max)"],
    ["an end before its beginning", { expiresAt: inYears(1), notBefore: inYears(2) }, "must be later than not_before"],
    ["a beginning after the default end", { notBefore: inYears(2) }, "must be earlier than expires_at"],
    ["a start that is too long", { start: "x".repeat(33) }, "start must be at most 32 visible ASCII characters"],
    ["a start with a space", { start: "a b" }, "start must be at most 32 visible ASCII characters"],
    ["a key of ours in a text", { note: `was ${own}` }, "note holds a whole key, which would be stored in the clear"],
    ["the key itself as name", { ...ofPasted, name: pasted }, "name is the key itself, which would be stored"],
    ["the key itself as start", { ...ofPasted, start: pasted }, "start is the key itself"],
    ["the key itself as owner", { ...ofPasted, owner: pasted }, "owner is the key itself"],
    ["the key itself in metadata", { ...ofPasted, metadata: { name: pasted } }, "name is the key itself"],
  ])("%s", async (_, more, problem) => {
    const twin = keyOf();
    const { answer, status } = await importOf([twin, { ...keyOf({ line: 7 }), ...more }]);
    expect([status, answer]).toEqual([
      200,
      { refused: [{ line: 7, problem: expect.stringContaining(problem) }], refusedCount: 1 },
    ]);
    expect(JSON.stringify(answer)).not.toContain(own);
    expect(JSON.stringify(answer)).not.toContain(pasted);
    expect((await importOf([twin])).answer).toMatchObject({ importedCount: 1 });
  });

  test("the secret of a key that is there, of an admin key, and of a line before, in the order of the lines", async () => {
    const { answer } = await served().post("KeyService/CreateKey", { name: "x" });
    const admin = await served().adminKey("keys:read");
    const sha256 = (secret: unknown) => hash("sha256", String(secret), "base64");
    const twice = keyOf({ line: 4 });
    const keys = [
      keyOf({ line: 1, sha256: sha256(answer.secret) }),
      keyOf({ line: 2, name: "" }),
      keyOf({ line: 3, sha256: sha256(admin) }),
      twice,
      { ...twice, line: 5 },
    ];
    expect((await importOf(keys)).answer).toEqual({
      refused: [
        { line: 1, problem: TAKEN },
        { line: 2, problem: "name is required" },
        { line: 3, problem: TAKEN },
        { line: 5, problem: TAKEN },
      ],
      refusedCount: 4,
    });
  });

  test("a secret that another key has got while the import went on", async () => {
    const key = keyOf({ line: 3 });
    const { answer } = await importOf([key], {});
    await importOf([key]);
    const { importId } = answer;
    expect((await importOf([], { importId, commit: true })).answer).toEqual({
      refused: [{ line: 3, problem: TAKEN }],
      refusedCount: 1,
    });
  });

  test("a line of an earlier call", async () => {
    const { answer } = await importOf([keyOf({ name: "" })], {});
    expect(answer).toMatchObject({ refusedCount: 1 });
    const { importId } = answer;
    const good = keyOf();
    expect((await importOf([good], { importId, commit: true })).answer).toEqual({ refusedCount: 1 });
    expect((await importOf([good])).answer).toMatchObject({ importedCount: 1 });
  });
});

describe("a call is refused", () => {
  test.each<[string, object, string[]]>([
    ["without a source", { source: "" }, ["source"]],
    ["with a source in capitals", { source: "Kong" }, ["source"]],
    ["of 1,001 keys", { source: "kong", keys: Array.from({ length: 1_001 }, () => ({})) }, ["keys"]],
    ["with validate_only and more to come", { source: "kong", validateOnly: true }, ["validate_only"]],
  ])("%s", async (_, body, fields) => {
    const { refused } = await served().post(IMPORT, body);
    expect(refused).toMatchObject({ code: "invalid_argument", fields });
  });

  test("that names another source than the one before", async () => {
    const { answer } = await importOf([keyOf()], {});
    const { refused } = await served().post(IMPORT, { source: "unkey", importId: answer.importId });
    expect(refused).toMatchObject({ code: "failed_precondition", reason: "IMPORT_SOURCE" });
  });

  test("that begins a fifth import", async () => {
    const key = await served().adminKey("keys:write");
    const begin = () => {
      return served().network.call(KeyService.method.importKeys, { source: "kong" }, key);
    };
    for (let count = 0; count < 4; count++) await begin();
    await expect(begin()).rejects.toMatchObject({ code: "resource_exhausted", reason: "TOO_MANY_IMPORTS" });
  });
});

import type { JsonObject } from "@bufbuild/protobuf";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { checkClientForThisTest } from "../support/for-this-test.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const HOUR_MS = 3_600_000;
const inThePast = new Date(Date.now() - HOUR_MS).toISOString();

const FULL = {
  name: "k",
  note: "old",
  tenant: "acme",
  metadata: { team: "payments" },
  scopes: ["a"],
  paths: ["/v1"],
  methods: ["GET"],
  cidrs: ["10.0.0.0/8"],
  notBefore: "2020-01-01T00:00:00Z",
  expiresAt: "2999-01-01T00:00:00Z",
  rateLimit: { requests: 5, window: "60s" },
};

const post = (method: string, request: object) => served().post(`KeyService/${method}`, request);

/** Every row of every table, as the running program has written it. */
function everything(): Record<string, unknown[]> {
  const db = new Database(served().keyward.database, { readonly: true });
  const tables = db
    .prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all();
  const rows = Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]));
  db.close();
  return rows;
}

/** What a call with `validate_only` answers, which must not change anything. */
async function judged(method: string, request: object) {
  const before = everything();
  const { status, answer, refused } = await post(method, { ...request, validateOnly: true });
  expect(everything()).toEqual(before);
  return { status, answer: answer as { key: JsonObject; rotated: JsonObject }, refused };
}

async function created(more: object = {}): Promise<JsonObject> {
  return (await post("CreateKey", { ...FULL, ...more })).answer.key as JsonObject;
}

test("what is dumped before and after has the keys, the audit trail and the change feed in it", async () => {
  const { id } = await created();
  const { keys, audit, changes, request_ids } = everything();
  expect(keys).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
  expect(audit).toEqual(expect.arrayContaining([expect.objectContaining({ target: id })]));
  expect([changes?.length, request_ids]).toEqual([audit?.length, []]);
});

describe("UpdateKey with validate_only", () => {
  test.each<[title: string, updateMask: string, request: object]>([
    ["a name", "name", { name: "renamed" }],
    ["lists, in the form in which they would be kept", "scopes,paths", { scopes: ["b", "b"], paths: ["/%7ea"] }],
    ["nothing in place of what was", "note,metadata,cidrs,notBefore,expiresAt,rateLimit", {}],
    ["metadata", "metadata", { metadata: { a: "b" } }],
    ["a rate limit", "rateLimit", { rateLimit: { requests: 9, window: "1s" } }],
    ["an end in the past", "expiresAt", { expiresAt: inThePast }],
  ])("answers as UpdateKey would, and changes nothing: %s", async (_, updateMask, request) => {
    const before = await created();
    const update = { key: before.id, updateMask, etag: before.etag, ...request };
    const { status, answer } = await judged("UpdateKey", update);
    expect([status, Object.keys(answer)]).toEqual([200, ["key"]]);
    const { revision, etag, updatedAt, ...preview } = answer.key;
    // The etag is that of the record as it is, so that the same request without validate_only is made for it.
    expect([revision, etag, updatedAt]).toEqual([before.revision, before.etag, before.updatedAt]);
    const {
      revision: _revision,
      etag: _etag,
      updatedAt: _updatedAt,
      ...made
    } = (await post("UpdateKey", update)).answer.key as JsonObject;
    expect(preview).toEqual(made);
  });

  test("answers as UpdateKey would where a key is to inherit", async () => {
    const owner = { owner: "service/validated", scopes: ["a"], tenant: "acme" };
    await served().post("OwnerService/CreateOwner", owner);
    const { id } = await created({ owner: owner.owner });
    const update = { key: id, updateMask: "inheritScopes", inheritScopes: true };
    const { key } = (await judged("UpdateKey", update)).answer;
    expect([key.inheritScopes, key.scopes]).toEqual([true, undefined]);
    expect((await post("GetKey", { key: id })).answer.key).toMatchObject({ scopes: ["a"] });
  });

  test("closes no key that would end", async () => {
    const client = checkClientForThisTest(served().keyward.authz);
    const { answer } = await post("CreateKey", { name: "k" });
    const secret = String(answer.secret);
    const update = { key: secret, updateMask: "expiresAt", expiresAt: inThePast };
    expect((await judged("UpdateKey", update)).answer.key).toMatchObject({ state: "KEY_STATE_EXPIRED" });
    expect(await client.present(secret)).toMatchObject({ answer: "ok" });
    await post("UpdateKey", update);
    expect(await client.present(secret)).toMatchObject({ answer: "denied", reason: "key_expired" });
  });

  test.each<[title: string, request: object, refused: object]>([
    [
      "a stale etag",
      { updateMask: "name", name: "x", etag: "0" },
      { code: "aborted", reason: "STALE_ETAG", metadata: { etag: expect.stringMatching(/^\d+$/) } },
    ],
    ["no mask", { name: "x" }, { code: "invalid_argument", fields: ["update_mask"] }],
    ["a field that is output only", { updateMask: "state" }, { code: "invalid_argument", fields: ["update_mask"] }],
    ["an empty name", { updateMask: "name" }, { code: "invalid_argument", fields: ["name"] }],
    [
      "a rate limit of nothing",
      { updateMask: "rateLimit", rateLimit: { window: "60s" } },
      { code: "invalid_argument", fields: ["rate_limit.requests"] },
    ],
    [
      "an end before the beginning",
      { updateMask: "notBefore", notBefore: "2999-01-01T00:00:00Z" },
      { code: "invalid_argument", fields: ["not_before"] },
    ],
    [
      "nothing to inherit",
      { updateMask: "inheritScopes", inheritScopes: true },
      { code: "failed_precondition", reason: "NOTHING_TO_INHERIT" },
    ],
  ])("refuses what UpdateKey refuses: %s", async (_, request, refused) => {
    const { id } = await created();
    const update = { key: id, ...request };
    const answer = await judged("UpdateKey", update);
    expect(answer.refused).toMatchObject(refused);
    const { refused: real } = await post("UpdateKey", update);
    expect([real?.code, real?.message]).toEqual([answer.refused?.code, answer.refused?.message]);
  });

  test("refuses a change of a revoked key, and of none", async () => {
    const { id } = await created();
    await post("RevokeKey", { key: id });
    const update = { updateMask: "name", name: "x" };
    expect((await judged("UpdateKey", { key: id, ...update })).refused).toMatchObject({ reason: "KEY_STATE" });
    expect((await judged("UpdateKey", { key: "key_0", ...update })).refused).toMatchObject({
      reason: "KEY_NOT_FOUND",
    });
  });
});

describe("RotateKey with validate_only", () => {
  /** What differs from one rotation to the next, whoever makes it. */
  const DRAWN = ["id", "start", "createdAt", "updatedAt", "revision", "etag", "graceEndsAt", "revokedAt"];
  const settled = (key: JsonObject) =>
    Object.fromEntries(Object.entries(key).filter(([field]) => !DRAWN.includes(field)));
  const fieldsIn = (key: JsonObject, fields: string[]) => fields.filter((field) => field in key);

  test.each<[title: string, request: object]>([
    ["with the grace period that is usual", {}],
    ["with a grace period", { grace: "60s" }],
    ["without a grace period", { grace: "0s" }],
    ["with another life", { expiresAt: "2998-01-01T00:00:00Z" }],
    ["with a life without end", { neverExpires: true }],
  ])("answers with both keys as RotateKey would, and changes nothing: %s", async (_, request) => {
    const before = await created();
    const { status, answer } = await judged("RotateKey", { key: before.id, ...request });
    expect([status, Object.keys(answer).sort()]).toEqual([200, ["key", "rotated"]]);
    const made = (await post("RotateKey", { key: before.id, ...request })).answer;
    const [key, rotated] = [made.key as JsonObject, made.rotated as JsonObject];
    expect(settled(answer.key)).toEqual(settled(key));
    // The successor has no id yet to which the old key could lead.
    const { successor, ...old } = settled(rotated);
    expect([settled(answer.rotated), successor]).toEqual([old, key.id]);
    const times = ["graceEndsAt", "revokedAt"];
    expect(fieldsIn(answer.rotated, times)).toEqual(fieldsIn(rotated, times));
    expect(fieldsIn(answer.key, ["id", "start"])).toEqual([]);
  });

  test("tells when the old key would end", async () => {
    const { id } = await created();
    const before = Date.now();
    const { rotated } = (await judged("RotateKey", { key: id, grace: "60s" })).answer;
    expect(rotated.state).toBe("KEY_STATE_ROTATED");
    const end = Date.parse(String(rotated.graceEndsAt));
    expect(end).toBeGreaterThanOrEqual(before + 60_000);
    expect(end).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test("uses up no request id, and is judged anew where one was used", async () => {
    const { id } = await created();
    const request = { key: id, requestId: "validated" };
    expect((await judged("RotateKey", request)).status).toBe(200);
    const { answer } = await post("RotateKey", request);
    expect(answer.secret).toMatch(/^kw_/);
    expect((await judged("RotateKey", request)).refused).toMatchObject({ reason: "KEY_STATE" });
    expect((await post("RotateKey", request)).answer.key).toEqual(answer.key);
  });

  test.each<[title: string, request: object, fields: string[]]>([
    ["a grace period below 0", { grace: "-1s" }, ["grace"]],
    ["an end in the past", { expiresAt: inThePast }, ["expires_at"]],
    ["a life of no time", { expiresIn: "0s" }, ["expires_in"]],
    ["a request id with a dot", { requestId: "a.b" }, ["request_id"]],
  ])("refuses what RotateKey refuses: %s", async (_, request, fields) => {
    const { id } = await created();
    expect((await judged("RotateKey", { key: id, ...request })).refused).toMatchObject({
      code: "invalid_argument",
      fields,
    });
  });

  test.each([
    ["disabled", "DisableKey"],
    ["revoked", "RevokeKey"],
    ["rotated", "RotateKey"],
  ])("refuses to rotate a key that is %s", async (state, method) => {
    const { id } = await created();
    await post(method, { key: id });
    expect((await judged("RotateKey", { key: id })).refused).toMatchObject({
      code: "failed_precondition",
      reason: "KEY_STATE",
      message: `only an active key can be rotated; this one is ${state}`,
    });
  });

  test("refuses a successor that would end before it begins, and one of no key", async () => {
    const { id } = await created({ notBefore: "2998-01-01T00:00:00Z" });
    expect((await judged("RotateKey", { key: id, expiresIn: "60s" })).refused).toMatchObject({ reason: "KEY_STATE" });
    expect((await judged("RotateKey", { key: "key_0" })).refused).toMatchObject({ reason: "KEY_NOT_FOUND" });
  });
});

const { updateKey, rotateKey } = KeyService.method;

test("who may only read may not even ask", async () => {
  const { id } = await created();
  const reader = await served().adminKey("keys:read");
  const key = String(id);
  const update = { key, updateMask: { paths: ["note"] }, validateOnly: true };
  const refused = { code: "permission_denied", metadata: { required: "keys:write" } };
  await expect(served().network.call(updateKey, update, reader)).rejects.toMatchObject(refused);
  await expect(served().network.call(rotateKey, { key, validateOnly: true }, reader)).rejects.toMatchObject(refused);
});

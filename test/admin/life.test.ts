import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import type { AdminClient } from "./support/clients.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEY_STATE = { code: "failed_precondition", reason: "KEY_STATE" };

const limits = {
  scopes: ["api:read", "orders:*"],
  paths: ["/v1", "=/v2"],
  methods: ["GET", "POST"],
  cidrs: ["10.0.0.0/8", "2001:db8::1"],
};

/** Creates a key and returns its record, as JSON has it. */
async function created(more: object = {}): Promise<JsonObject> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", ...more });
  return answer.key as JsonObject;
}

/** Calls a method that must not refuse, and returns the record in its answer. */
async function changed(method: string, request: object): Promise<JsonObject> {
  const { status, answer } = await served().post(`KeyService/${method}`, request);
  expect(status).toBe(200);
  return answer.key as JsonObject;
}

async function refusalOf(method: string, request: object) {
  return (await served().post(`KeyService/${method}`, request)).refused;
}

async function get(key: unknown): Promise<JsonObject> {
  return changed("GetKey", { key });
}

/** A key that ended long ago, which the API cannot make. */
function expired(name: string): string {
  const key = sampleKey(name, { expiresAtMs: 2 });
  withStore(served().keyward, (store) => store.createKey(key, local, 1));
  return key.id;
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const msBetween = (from: unknown, to: unknown) => Date.parse(String(to)) - Date.parse(String(from));

describe("UpdateKey", () => {
  test.each<[mask: string, field: string, value: unknown]>([
    ["name", "name", "another"],
    ["note", "note", "two\nlines"],
    ["scopes", "scopes", ["b"]],
    ["paths", "paths", ["=/v3"]],
    ["methods", "methods", ["DELETE"]],
    ["cidrs", "cidrs", ["192.0.2.0/24"]],
    ["notBefore", "notBefore", "2030-01-01T00:00:00Z"],
    ["expiresAt", "expiresAt", "2999-01-01T00:00:00Z"],
    ["metadata", "metadata", { team: "new", b: "2" }],
    ["rateLimit", "rateLimit", { requests: 2, window: "60s" }],
  ])("sets %s where the mask names it, and nothing else", async (mask, field, value) => {
    const others = { note: "old", metadata: { team: "old", a: "1" }, rateLimit: { requests: 1, window: "1s" } };
    const { revision: _, etag: __, updatedAt: ___, ...before } = await created({ ...limits, ...others });
    const all = {
      name: "x",
      note: "x",
      scopes: ["x"],
      paths: ["/x"],
      methods: ["PUT"],
      cidrs: ["::/0"],
      metadata: { x: "x" },
      rateLimit: { requests: 9, window: "9s" },
      [field]: value,
    };
    const after = await changed("UpdateKey", { key: before.id, updateMask: mask, ...all });
    const now = { revision: after.revision, etag: after.etag, updatedAt: after.updatedAt };
    expect(after).toEqual({ ...before, [field]: value, ...now });
  });

  test.each(["note", "metadata", "scopes", "paths", "methods", "cidrs", "notBefore", "expiresAt", "rateLimit"])(
    "clears %s where the mask names it and the request does not have it",
    async (field) => {
      const times = { notBefore: "2030-01-01T00:00:00Z", expiresAt: "2999-01-01T00:00:00Z" };
      const more = { note: "old", metadata: { a: "1" }, rateLimit: { requests: 1, window: "1s" } };
      const { id, ...before } = await created({ ...limits, ...times, ...more });
      expect(before).toHaveProperty(field);
      expect(await changed("UpdateKey", { key: id, updateMask: field })).not.toHaveProperty(field);
    },
  );

  test("sets several fields at once, in one form", async () => {
    const { id } = await created();
    const lists = { scopes: ["b", "a", "b"], paths: ["/%7ea", "/~a"], methods: ["GET", "GET"] };
    const after = await changed("UpdateKey", { key: id, update_mask: "scopes,paths,methods", ...lists });
    expect(after).toMatchObject({ scopes: ["b", "a"], paths: ["/~a"], methods: ["GET"] });
  });

  test.each<[title: string, updateMask: string | undefined, description: RegExp]>([
    [
      "no mask",
      undefined,
      /^must name one or more of name, note, metadata, scopes, inherit_scopes, paths, methods, cidrs, not_before, expires_at, rate_limit$/,
    ],
    ["an empty mask", "", /^must name one or more of/],
    ["a field that does not exist", "name,colour", /^names "colour"; it can name name, note/],
    ["a field in another case", "Name", /^names "_name"/],
    ["everything", "*", /^names "\*"/],
    ["the key's name in the request", "key", /^names "key"/],
    ["the id", "id", /^names "id"/],
    ["the state", "state", /^names "state"/],
    ["the etag", "etag", /^names "etag"/],
    ["the tenant", "tenant", /^names "tenant"/],
    ["the owner", "owner", /^names "owner"/],
    ["the prefix", "prefix", /^names "prefix"/],
    ["the format", "format", /^names "format"/],
    ["one entry of the metadata", "metadata.team", /^names "metadata.team"/],
    ["a part of the rate limit", "rateLimit.requests", /^names "rate_limit.requests"/],
    ["the time of creation", "createdAt", /^names "created_at"/],
    ["the end of the grace period", "graceEndsAt", /^names "grace_ends_at"/],
    ["the revocation", "revokedAt", /^names "revoked_at"/],
    ["a part of a field", "name.first", /^names "name.first"/],
  ])("refuses a mask that names %s", async (_, updateMask, description) => {
    const before = await created();
    const refused = await refusalOf("UpdateKey", {
      key: before.id,
      ...(updateMask === undefined ? {} : { updateMask }),
      name: "x",
    });
    expect(refused).toMatchObject({ code: "invalid_argument", reason: "INVALID_ARGUMENT", fields: ["update_mask"] });
    expect(refused?.descriptions[0]).toMatch(description);
    expect(await get(before.id)).toEqual(before);
  });

  test.each<[title: string, mask: string, request: object, ...fields: string[]]>([
    ["an empty name", "name", {}, "name"],
    ["a name of 201 characters", "name", { name: "x".repeat(201) }, "name"],
    ["a note with a zero byte", "note", { note: "\0" }, "note"],
    ["a scope with a space", "scopes", { scopes: ["ok", "a b"] }, "scopes[1]"],
    ["101 scopes", "scopes", { scopes: Array.from({ length: 101 }, (_, index) => `s${index}`) }, "scopes"],
    ["an ambiguous path", "paths", { paths: ["/a//b"] }, "paths[0]"],
    ["a method in lower case", "methods", { methods: ["get"] }, "methods[0]"],
    ["a network with host bits", "cidrs", { cidrs: ["10.0.0.1/8"] }, "cidrs[0]"],
    ["valid from 1969 on", "notBefore", { notBefore: "1969-12-31T23:59:59Z" }, "not_before"],
    ["an expiry before 1970", "expiresAt", { expiresAt: "1969-12-31T23:59:59Z" }, "expires_at"],
    ["an entry of metadata with a line break", "metadata", { metadata: { a: "b\nc" } }, "metadata[a]"],
    ["a name in the metadata with a space", "metadata", { metadata: { "a b": "c" } }, "metadata"],
    ["a rate limit of no requests", "rateLimit", { rateLimit: { requests: 0, window: "1s" } }, "rate_limit.requests"],
    ["two wrong fields", "name,paths", { paths: ["v1"] }, "name", "paths[0]"],
  ])(
    "refuses %s as CreateKey does, and looks at it only where the mask names it",
    async (_, updateMask, request, ...fields) => {
      const before = await created();
      const refused = await refusalOf("UpdateKey", { key: before.id, updateMask, ...request });
      expect(refused).toMatchObject({ code: "invalid_argument", fields });
      expect(await get(before.id)).toEqual(before);
      const other = updateMask === "note" ? { updateMask: "scopes" } : { updateMask: "note", note: "looked past" };
      const { status } = await served().post("KeyService/UpdateKey", { key: before.id, ...request, ...other });
      expect(status).toBe(200);
    },
  );

  test("is made for the etag that was read, and for no other", async () => {
    const { id, etag } = await created();
    const first = await changed("UpdateKey", { key: id, etag, updateMask: "name", name: "first" });
    expect(first.etag).not.toBe(etag);
    const refused = await refusalOf("UpdateKey", { key: id, etag, updateMask: "name", name: "second" });
    expect(refused).toMatchObject({ code: "aborted", reason: "STALE_ETAG", metadata: { etag: first.etag } });
    expect(refused?.message).toContain(String(first.etag));
    expect((await get(id)).name).toBe("first");
    expect(await changed("UpdateKey", { key: id, etag: first.etag, updateMask: "name", name: "third" })).toMatchObject({
      name: "third",
    });
  });

  test.each(["0", "-1", "x", "1 ", "999999999"])("an etag that was never given is stale: %j", async (etag) => {
    const { id } = await created();
    expect(await refusalOf("UpdateKey", { key: id, etag, updateMask: "name", name: "x" })).toMatchObject({
      code: "aborted",
      reason: "STALE_ETAG",
    });
  });

  test("an etag changes with the key, and not with other keys", async () => {
    const { id, etag } = await created();
    await created();
    expect((await get(id)).etag).toBe(etag);
    const etags = [etag];
    etags.push((await changed("DisableKey", { key: id })).etag);
    etags.push((await changed("EnableKey", { key: id })).etag);
    etags.push((await changed("RevokeKey", { key: id })).etag);
    expect(new Set(etags).size).toBe(4);
  });

  test.each<[title: string, before: object, mask: string, request: object]>([
    [
      "a beginning at the end",
      { expiresAt: "2999-01-01T00:00:00Z" },
      "notBefore",
      { notBefore: "2999-01-01T00:00:00Z" },
    ],
    [
      "an end at the beginning",
      { notBefore: "2999-01-01T00:00:00Z" },
      "expiresAt",
      { expiresAt: "2999-01-01T00:00:00Z" },
    ],
    [
      "both in the wrong order",
      {},
      "notBefore,expiresAt",
      { notBefore: "2999-01-01T00:00:01Z", expiresAt: "2999-01-01T00:00:00Z" },
    ],
  ])("refuses %s", async (_, before, updateMask, request) => {
    const { id } = await created(before);
    const description = "must be earlier than expires_at, which is 2999-01-01T00:00:00.000Z";
    expect(await refusalOf("UpdateKey", { key: id, updateMask, ...request })).toMatchObject({
      code: "invalid_argument",
      fields: ["not_before"],
      descriptions: [description],
    });
  });

  test("with an expiry in the past ends a key now", async () => {
    const { id } = await created();
    const expiresAt = inMs(-HOUR_MS);
    expect(await changed("UpdateKey", { key: id, updateMask: "expiresAt", expiresAt })).toMatchObject({
      state: "KEY_STATE_EXPIRED",
    });
  });

  test("with an expiry in the future lets an expired key open again", async () => {
    const id = expired("extended");
    expect(await get(id)).toMatchObject({ state: "KEY_STATE_EXPIRED" });
    const request = { key: id, updateMask: "expiresAt", expiresAt: inMs(HOUR_MS) };
    expect(await changed("UpdateKey", request)).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test("of a revoked key is refused, of a disabled one it is not", async () => {
    const { id } = await created();
    const request = { key: id, updateMask: "name", name: "x" };
    await changed("DisableKey", { key: id });
    expect(await changed("UpdateKey", request)).toMatchObject({ name: "x", state: "KEY_STATE_DISABLED" });
    await changed("RevokeKey", { key: id });
    expect(await refusalOf("UpdateKey", request)).toMatchObject({
      ...KEY_STATE,
      message: "a revoked key cannot be changed",
    });
  });
});

describe("DisableKey and EnableKey", () => {
  test("refuse a key and let it open again", async () => {
    const { id } = await created();
    const disabled = await changed("DisableKey", { key: id });
    expect(disabled).toMatchObject({ state: "KEY_STATE_DISABLED", disabledAt: expect.any(String) });
    const enabled = await changed("EnableKey", { key: id });
    expect(enabled).toMatchObject({ state: "KEY_STATE_ACTIVE" });
    expect(enabled).not.toHaveProperty("disabledAt");
  });

  test("leave a key alone that stands so already", async () => {
    const key = await created();
    expect(await changed("EnableKey", { key: key.id })).toEqual(key);
    const disabled = await changed("DisableKey", { key: key.id });
    expect(await changed("DisableKey", { key: key.id })).toEqual(disabled);
  });

  test.each(["DisableKey", "EnableKey"])("%s of a revoked key is refused, and it stays revoked", async (method) => {
    const { id } = await created();
    await changed("DisableKey", { key: id });
    const revoked = await changed("RevokeKey", { key: id });
    expect(revoked).toMatchObject({ state: "KEY_STATE_REVOKED" });
    expect(await refusalOf(method, { key: id })).toMatchObject({
      ...KEY_STATE,
      message: "a revoked key is refused for good",
    });
    expect(await get(id)).toEqual(revoked);
  });

  test("a key that is disabled past its end is disabled, and expired once enabled", async () => {
    const id = expired("disabled past its end");
    expect(await changed("DisableKey", { key: id })).toMatchObject({ state: "KEY_STATE_DISABLED" });
    expect(await changed("EnableKey", { key: id })).toMatchObject({ state: "KEY_STATE_EXPIRED" });
  });
});

describe("RotateKey", () => {
  const rotate = async (request: object) => {
    const { status, answer } = await served().post("KeyService/RotateKey", request);
    expect(status).toBe(200);
    return answer as { key: JsonObject; rotated: JsonObject; secret: string; enforced: boolean };
  };

  test("makes a successor with the same rights and a new secret", async () => {
    const who = { tenant: "acme", owner: "service/ci", name: "n", note: "why" };
    const times = { notBefore: "2020-01-01T00:00:00Z", expiresAt: "2999-01-01T00:00:00Z" };
    const old = await created({ ...limits, ...who, ...times });
    const { key, rotated, secret, enforced } = await rotate({ key: old.id });
    expect(key).toMatchObject({ ...limits, ...who, ...times, state: "KEY_STATE_ACTIVE", predecessor: old.id });
    expect(rotated).toMatchObject({ id: old.id, state: "KEY_STATE_ROTATED", successor: key.id });
    expect([key.id === old.id, secret.startsWith(String(key.start)), enforced]).toEqual([false, true, true]);
    expect(await get(secret)).toEqual(key);
    expect(await get(old.id)).toEqual(rotated);
  });

  test.each<[title: string, request: object, graceMs: number]>([
    ["24 hours where nothing is said", {}, DAY_MS],
    ["as long as is asked", { grace: "60s" }, 60_000],
    ["a year at the most", { grace: "31557600s" }, 31_557_600_000],
  ])("the old key goes on opening for %s", async (_, request, graceMs) => {
    const { id } = await created();
    const { rotated } = await rotate({ key: id, ...request });
    expect(msBetween(rotated.updatedAt, rotated.graceEndsAt)).toBe(graceMs);
  });

  test("the old key never opens past its own expiry", async () => {
    const { id, expiresAt } = await created({ expiresIn: "600s" });
    const { rotated, key } = await rotate({ key: id, grace: "601s" });
    expect([rotated.graceEndsAt, rotated.expiresAt, key.expiresAt]).toEqual([expiresAt, expiresAt, expiresAt]);
    const { id: other } = await created({ expiresIn: "600s" });
    const { rotated: sooner } = await rotate({ key: other, grace: "1s" });
    expect(msBetween(sooner.updatedAt, sooner.graceEndsAt)).toBe(1_000);
  });

  test("without a grace period the old key is revoked at once", async () => {
    const { id } = await created();
    const { rotated, key } = await rotate({ key: id, grace: "0s" });
    expect(rotated).toMatchObject({ state: "KEY_STATE_REVOKED", successor: key.id, revokedBy: "local" });
    expect(key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
    expect(await refusalOf("EnableKey", { key: id })).toMatchObject(KEY_STATE);
  });

  test.each<[title: string, grace: string]>([
    ["less than nothing", "-1s"],
    ["half a second", "0.5s"],
    ["more than a year", "31557601s"],
  ])("refuses a grace period of %s", async (_, grace) => {
    const { id } = await created();
    expect(await refusalOf("RotateKey", { key: id, grace })).toMatchObject({
      code: "invalid_argument",
      fields: ["grace"],
      descriptions: ["must be whole seconds >= 0 and <= 31557600"],
    });
    expect(await get(id)).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test("gives the successor another life only where one is asked for", async () => {
    const short = { expiresIn: "600s" };
    const longer = await rotate({ key: (await created(short)).id, expiresIn: "1200s" });
    expect(msBetween(longer.key.createdAt, longer.key.expiresAt)).toBe(1_200_000);
    const endless = await rotate({ key: (await created(short)).id, neverExpires: true });
    expect(endless.key).not.toHaveProperty("expiresAt");
    const until = await rotate({ key: (await created()).id, expiresAt: "2999-01-01T00:00:00Z" });
    expect(until.key.expiresAt).toBe("2999-01-01T00:00:00Z");
    expect((await rotate({ key: (await created()).id })).key).not.toHaveProperty("expiresAt");
  });

  test.each<[title: string, request: object, field: string]>([
    ["an expiry in the past", { expiresAt: "2001-01-01T00:00:00Z" }, "expires_at"],
    ["a life of no time", { expiresIn: "0s" }, "expires_in"],
    ["a never that is not meant", { neverExpires: false }, "never_expires"],
  ])("refuses %s", async (_, request, field) => {
    const { id } = await created();
    expect(await refusalOf("RotateKey", { key: id, ...request })).toMatchObject({
      code: "invalid_argument",
      fields: [field],
    });
  });

  test("refuses a successor that would end before it begins", async () => {
    const { id } = await created({ notBefore: "2999-01-01T00:00:00Z" });
    expect(await refusalOf("RotateKey", { key: id, expiresIn: "60s" })).toMatchObject(KEY_STATE);
    expect(await get(id)).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test.each<[state: string, end: (id: unknown) => Promise<unknown>]>([
    ["rotated", (key) => rotate({ key })],
    ["disabled", (key) => changed("DisableKey", { key })],
    ["revoked", (key) => changed("RevokeKey", { key })],
    ["expired", (key) => changed("UpdateKey", { key, updateMask: "expiresAt", expiresAt: inMs(-HOUR_MS) })],
  ])("of a key that is %s is refused, and makes none", async (state, end) => {
    const owner = `project/rotated-${state}`;
    const { id } = await created({ owner });
    await end(id);
    const before = await served().post("KeyService/ListKeys", { filter: `owner = "${owner}"` });
    expect(await refusalOf("RotateKey", { key: id })).toMatchObject({
      ...KEY_STATE,
      message: `only an active key can be rotated; this one is ${state}`,
    });
    expect(await served().post("KeyService/ListKeys", { filter: `owner = "${owner}"` })).toEqual(before);
  });

  test("of a successor makes the next one", async () => {
    const { id } = await created();
    const first = await rotate({ key: id });
    const second = await rotate({ key: first.key.id });
    expect(second.key).toMatchObject({ predecessor: first.key.id });
    expect(await get(first.key.id)).toMatchObject({
      predecessor: id,
      successor: second.key.id,
      state: "KEY_STATE_ROTATED",
    });
    expect(await get(id)).toMatchObject({ successor: first.key.id });
  });

  test("a rotated key can be changed, disabled and revoked, and its end stays", async () => {
    const { id } = await created();
    const { graceEndsAt } = (await rotate({ key: id })).rotated;
    const longer = { key: id, updateMask: "expiresAt", expiresAt: "2999-01-01T00:00:00Z" };
    expect(await changed("UpdateKey", longer)).toMatchObject({ graceEndsAt, state: "KEY_STATE_ROTATED" });
    expect(await changed("DisableKey", { key: id })).toMatchObject({ graceEndsAt, state: "KEY_STATE_DISABLED" });
    expect(await changed("EnableKey", { key: id })).toMatchObject({ graceEndsAt, state: "KEY_STATE_ROTATED" });
    expect(await changed("RevokeKey", { key: id })).toMatchObject({ graceEndsAt, state: "KEY_STATE_REVOKED" });
  });

  test("a rotated key past its grace is expired, not revoked, and a longer life does not bring it back", async () => {
    const old = sampleKey("past its grace", { owner: "project/past-grace" });
    withStore(served().keyward, (store) => {
      const { revision } = store.createKey(old, local, 1);
      store.rotateKey(old.id, sampleKey("after its grace"), 3, local, 2, revision);
    });
    const key = await get(old.id);
    expect(key).toMatchObject({ state: "KEY_STATE_EXPIRED", graceEndsAt: "1970-01-01T00:00:00.003Z" });
    expect(key).not.toHaveProperty("revokedAt");
    const listed = async (state: string) => {
      const { answer } = await served().post("KeyService/ListKeys", {
        filter: `owner = "project/past-grace" AND state = ${state}`,
      });
      return answer.keys ?? [];
    };
    expect([await listed("EXPIRED"), await listed("REVOKED"), await listed("ROTATED")]).toEqual([[key], [], []]);
    expect(await refusalOf("RotateKey", { key: old.id })).toMatchObject({
      ...KEY_STATE,
      message: "only an active key can be rotated; this one is expired",
    });
    const longer = { key: old.id, updateMask: "expiresAt", expiresAt: "2999-01-01T00:00:00Z" };
    expect(await changed("UpdateKey", longer)).toMatchObject({ state: "KEY_STATE_EXPIRED" });
    expect(await changed("RevokeKey", { key: old.id })).toMatchObject({ state: "KEY_STATE_REVOKED" });
  });

  test("a list tells keys that are disabled or rotated from active ones", async () => {
    const owner = "project/states";
    const [active, disabled, rotated] = [await created({ owner }), await created({ owner }), await created({ owner })];
    await changed("DisableKey", { key: disabled.id });
    const { key: successor } = await rotate({ key: rotated.id });
    const listed = async (state: string) => {
      const filter = `owner = "${owner}" AND state = ${state}`;
      const { answer } = await served().post("KeyService/ListKeys", { filter });
      return ((answer.keys ?? []) as JsonObject[]).map(({ id }) => id);
    };
    expect(await listed("ACTIVE")).toEqual(expect.arrayContaining([active.id, successor.id]));
    expect(await listed("ACTIVE")).toHaveLength(2);
    expect(await listed("DISABLED")).toEqual([disabled.id]);
    expect(await listed("ROTATED")).toEqual([rotated.id]);
    expect(await listed("REVOKED")).toEqual([]);
  });
});

const { updateKey, rotateKey, disableKey, enableKey } = KeyService.method;

describe.each<[method: string, call: (client: AdminClient, key: string, adminKey?: string) => Promise<unknown>]>([
  ["UpdateKey", (client, key, adminKey) => client.call(updateKey, { key, updateMask: { paths: ["note"] } }, adminKey)],
  ["RotateKey", (client, key, adminKey) => client.call(rotateKey, { key }, adminKey)],
  ["DisableKey", (client, key, adminKey) => client.call(disableKey, { key }, adminKey)],
  ["EnableKey", (client, key, adminKey) => client.call(enableKey, { key }, adminKey)],
])("%s", (_, call) => {
  test("of a key that is not there finds none", async () => {
    await expect(call(served().local, "key_0")).rejects.toMatchObject({ code: "not_found", reason: "KEY_NOT_FOUND" });
  });

  test("needs a key's name", async () => {
    await expect(call(served().local, "")).rejects.toMatchObject({ code: "invalid_argument", fields: ["key"] });
  });

  test("is refused to who may only read, and done for who may write", async () => {
    const { id } = await created();
    const [reader, writer] = [await served().adminKey("keys:read"), await served().adminKey("keys:write")];
    const refused = call(served().network, String(id), reader);
    await expect(refused).rejects.toMatchObject({ code: "permission_denied", metadata: { required: "keys:write" } });
    expect(await call(served().network, String(id), writer)).toMatchObject({ key: { name: "k" } });
  });

  test("is answered once the check threads obey", async () => {
    const { id } = await created();
    expect(await call(served().local, String(id))).toMatchObject({ enforced: true, warning: "" });
  });
});

import { describe, expect, test } from "vitest";
import { AdminKeyService } from "../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { KeyState } from "../../src/gen/keyward/admin/v1/key_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, getKey, revokeKey } = KeyService.method;
const { createAdminKey, listAdminKeys, revokeAdminKey } = AdminKeyService.method;

describe("a key", () => {
  test("that is revoked says when, by whom and why, at the next revision", async () => {
    const { key: created } = await served().local.call(createKey, { name: "x" });
    const { key } = await served().local.call(revokeKey, { key: created?.id ?? "", reason: "left the company" });
    expect(key).toEqual({
      ...created,
      state: KeyState.REVOKED,
      revokedAt: expect.anything(),
      updatedAt: key?.revokedAt,
      revokedBy: "local",
      revokeReason: "left the company",
      revision: (created?.revision ?? 0n) + 1n,
      etag: String((created?.revision ?? 0n) + 1n),
    });
    await expect(served().local.call(getKey, { key: created?.id ?? "" })).resolves.toMatchObject({ key });
  });

  test("that is revoked twice answers as the first time, whoever asks and why", async () => {
    const { key: created } = await served().local.call(createKey, { name: "x" });
    const id = created?.id ?? "";
    const first = await served().local.call(revokeKey, { key: id, reason: "first" });
    const adminKey = await served().adminKey();
    const second = await served().network.call(revokeKey, { key: id, reason: "second" }, adminKey);
    expect(second).toEqual(first);
    const third = await served().local.call(createKey, { name: "next" });
    const keyAndAdminKey = 2n;
    expect(third.key?.revision).toBe((first.key?.revision ?? 0n) + keyAndAdminKey);
  });

  test("that has expired can still be revoked, and is revoked from then on", async () => {
    withStore(served().keyward, (store) => {
      store.createKey(sampleKey("expired", { expiresAtMs: 2 }), local, 1);
    });
    const { key: before } = await served().local.call(getKey, { key: "key_expired" });
    expect(before?.state).toBe(KeyState.EXPIRED);
    const { key } = await served().local.call(revokeKey, { key: "key_expired" });
    expect(key?.state).toBe(KeyState.REVOKED);
  });

  test.each([
    ["a reason of 500 characters", { reason: "x".repeat(500) }],
    ["a reason of 501 characters", { reason: "x".repeat(501) }, "reason"],
    ["a reason with a line break", { reason: "a\nb" }, "reason"],
    ["no key", { key: "" }, "key"],
    ["a key's name of 8,193 characters", { key: "x".repeat(8_193) }, "key"],
  ] as const)("is revoked within the bounds of the request only: %s", async (_, request, ...fields) => {
    const { key } = await served().local.call(createKey, { name: "x" });
    const { refused } = await served().post("KeyService/RevokeKey", { key: key?.id, ...request });
    expect(refused?.fields ?? []).toEqual(fields);
  });
});

describe("a call that names a key", () => {
  test.each<[method: string, bound: number]>([
    ["KeyService/GetKey", 8_192],
    ["KeyService/RevokeKey", 8_192],
    ["KeyService/DisableKey", 8_192],
    ["KeyService/EnableKey", 8_192],
    ["KeyService/RotateKey", 8_192],
    ["AdminKeyService/RevokeAdminKey", 100],
  ])("%s takes 1 to %i characters for its name", async (method, bound) => {
    const answers = [];
    for (const key of ["x", "x".repeat(bound), "", "x".repeat(bound + 1)]) {
      const { refused } = await served().post(method, { key });
      answers.push([refused?.code, refused?.descriptions]);
    }
    expect(answers).toEqual([
      ["not_found", []],
      ["not_found", []],
      ["invalid_argument", ["is required"]],
      ["invalid_argument", [`has ${bound + 1} characters; it must have <= ${bound}`]],
    ]);
  });
});

describe("an admin key", () => {
  test("that is revoked twice answers as the first time", async () => {
    const { key: created } = await served().local.call(createAdminKey, { name: "x" });
    const id = created?.id ?? "";
    const first = await served().local.call(revokeAdminKey, { key: id });
    expect(first.key).toEqual({ ...created, revokedAt: expect.anything(), revokedBy: "local" });
    const second = await served().network.call(revokeAdminKey, { key: id }, await served().adminKey());
    expect(second).toEqual(first);
  });

  test("that is revoked stays in the list", async () => {
    const { key } = await served().local.call(createAdminKey, { name: "x" });
    const revoked = await served().local.call(revokeAdminKey, { key: key?.id ?? "" });
    const { keys } = await served().local.call(listAdminKeys, {});
    expect(keys).toContainEqual(revoked.key);
  });

  test.each([
    ["a name of 200 characters", { name: "x".repeat(200) }],
    ["a name of 201 characters", { name: "x".repeat(201) }, "name"],
    ["an empty name", { name: "" }, "name"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["every scope there is", { name: "x", scopes: ["keys:read", "keys:write", "admins:write"] }],
    ["a scope that does not exist", { name: "x", scopes: ["keys:read", "keys:delete"] }, "scopes[1]"],
    ["a scope in another case", { name: "x", scopes: ["Keys:read"] }, "scopes[0]"],
    ["a scope of the data plane", { name: "x", scopes: ["*"] }, "scopes[0]"],
    ["an empty scope", { name: "x", scopes: [""] }, "scopes[0]"],
  ] as const)("is made within the bounds of the request only: %s", async (_, request, ...fields) => {
    const { refused } = await served().post("AdminKeyService/CreateAdminKey", request);
    expect(refused?.fields ?? []).toEqual(fields);
  });

  test("has each of its scopes once", async () => {
    const { key } = await served().local.call(createAdminKey, { name: "x", scopes: ["keys:read", "keys:read"] });
    expect(key?.scopes).toEqual(["keys:read"]);
  });
});

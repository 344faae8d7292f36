import { beforeAll, describe, expect, test } from "vitest";
import { ADMIN_SCOPES, type AdminScope } from "../../src/admin/admin-scope.ts";
import { AdminKeyService } from "../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { SystemService } from "../../src/gen/keyward/admin/v1/system_service_pb.ts";
import { ADMIN_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { CLIENTS } from "./support/clients.ts";
import { sendHttp1 } from "./support/http.ts";
import { refusedOfJson } from "./support/refused.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, getKey, listKeys } = KeyService.method;
const { createAdminKey, listAdminKeys, revokeAdminKey } = AdminKeyService.method;

/** What ListKeys over the network answers to an Authorization header. */
async function listWith(authorization: string | undefined) {
  const { status, body } = await sendHttp1(served().keyward.admin, {
    path: "/keyward.admin.v1.KeyService/ListKeys",
    headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
    body: "{}",
  });
  if (status === 200) return { status };
  const { code, reason, message } = refusedOfJson(body);
  return { status, code, reason, message };
}

function unauthenticated(message: string) {
  return { status: 401, code: "unauthenticated", reason: "UNAUTHENTICATED", message };
}

const NOT_VALID = unauthenticated("the admin key is not valid");

describe("over the network", () => {
  let good: string;
  beforeAll(async () => {
    good = await served().adminKey("keys:read");
  });

  test.each<[title: string, header: (key: string) => string]>([
    ["as Bearer", (key) => `Bearer ${key}`],
    ["with the scheme in lower case", (key) => `bearer ${key}`],
    ["with two spaces after the scheme", (key) => `Bearer  ${key}`],
  ])("an admin key %s is accepted", async (_, header) => {
    expect(await listWith(header(good))).toEqual({ status: 200 });
  });

  test.each<[title: string, header: (key: string) => string]>([
    ["without a scheme", (key) => key],
    ["without the space", (key) => `Bearer${key}`],
    ["under the scheme of another place", (key) => `ApiKey ${key}`],
    ["as a password", (key) => `Basic ${btoa(`:${key}`)}`],
    ["cut by a character", (key) => `Bearer ${key.slice(0, -1)}`],
    ["with a character more", (key) => `Bearer ${key}0`],
    ["with another last character", (key) => `Bearer ${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`],
    ["in another case", (key) => `Bearer ${key.toUpperCase()}`],
    ["twice", (key) => `Bearer ${key}, Bearer ${key}`],
    ["under the prefix of the data plane", (key) => `Bearer ${key.replace("kwadm_", "kw_")}`],
    ["that is only its start", (key) => `Bearer ${key.slice(0, 14)}`],
    [
      "of the right form that nobody made",
      () => `Bearer ${writeSecret(ADMIN_PREFIX, new Uint8Array(SECRET_RANDOM_BYTES))}`,
    ],
    ["that is empty", () => "Bearer "],
    ["that is nothing at all", () => ""],
  ])("an admin key %s is not valid", async (_, header) => {
    expect(await listWith(header(good))).toEqual(NOT_VALID);
  });

  test("no header is told that an admin key is needed", async () => {
    expect(await listWith(undefined)).toEqual(unauthenticated("an admin key is needed: Authorization: Bearer kwadm_…"));
  });

  test("a key of the data plane, whatever its scopes, is no admin key", async () => {
    const { secret } = await served().local.call(createKey, { name: "x", scopes: ["*"] });
    expect(await listWith(`Bearer ${secret}`)).toEqual(NOT_VALID);
  });

  test("a revoked admin key is refused by the next call, on a connection that is open already", async () => {
    const client = CLIENTS["gRPC of connect-node"]?.(served().keyward.admin) ?? served().network;
    try {
      const { key, secret } = await served().local.call(createAdminKey, { name: "x" });
      await expect(client.call(listKeys, {}, secret)).resolves.toBeDefined();
      await served().local.call(revokeAdminKey, { key: key?.id ?? "" });
      await expect(client.call(listKeys, {}, secret)).rejects.toMatchObject({
        code: "unauthenticated",
        message: "the admin key is not valid",
      });
    } finally {
      client.close();
    }
  });

  test("a stranger is not told what is wrong with a request", async () => {
    const refused = { code: "unauthenticated", fields: [] };
    await expect(served().network.call(createKey, { name: "" })).rejects.toMatchObject(refused);
  });

  test("who made a record is the id of the admin key", async () => {
    const made = await served().local.call(createAdminKey, { name: "x" });
    const { key } = await served().network.call(createKey, { name: "x" }, made.secret);
    expect(key?.createdBy).toBe(made.key?.id);
    const other = await served().network.call(createAdminKey, { name: "x" }, made.secret);
    expect(other.key?.createdBy).toBe(made.key?.id);
  });
});

/** Each method with a request that gets through, or is refused after the scopes have been judged. */
const METHODS: readonly (readonly [method: string, needed: AdminScope, body: object, status: number])[] = [
  ["KeyService/CreateKey", "keys:write", { name: "x" }, 200],
  ["KeyService/GetKey", "keys:read", { key: "key_0" }, 404],
  ["KeyService/ListKeys", "keys:read", {}, 200],
  ["KeyService/RevokeKey", "keys:write", { key: "key_0" }, 404],
  ["KeyService/ExplainCheck", "keys:read", { method: "GET", path: "/" }, 200],
  ["KeyService/VerifyKey", "keys:read", { key: "x" }, 200],
  ["KeyService/GetDecision", "keys:read", { decisionId: "0".repeat(36) }, 404],
  ["OwnerService/CreateOwner", "owners:write", { owner: "user/new" }, 200],
  ["OwnerService/GetOwner", "keys:read", { owner: "user/nobody" }, 404],
  ["OwnerService/ListOwners", "keys:read", {}, 200],
  ["OwnerService/UpdateOwner", "owners:write", { owner: "user/nobody", updateMask: "disabled" }, 404],
  ["OwnerService/DeleteOwner", "owners:write", { owner: "user/nobody" }, 404],
  ["AuditService/ListEvents", "audit:read", {}, 200],
  ["AdminKeyService/CreateAdminKey", "admins:write", { name: "x" }, 200],
  ["AdminKeyService/ListAdminKeys", "admins:write", {}, 200],
  ["AdminKeyService/RevokeAdminKey", "admins:write", { key: "akey_0" }, 404],
];

describe("admin scopes", () => {
  async function post(method: string, body: object, adminKey: string) {
    return sendHttp1(served().keyward.admin, {
      path: `/keyward.admin.v1.${method}`,
      headers: { "content-type": "application/json", authorization: `Bearer ${adminKey}` },
      body: JSON.stringify(body),
    });
  }

  test.each(METHODS)("%s is open to an admin key with %s alone", async (method, needed, body, status) => {
    const answer = await post(method, body, await served().adminKey(needed));
    expect(answer.status).toBe(status);
  });

  test.each(METHODS)("%s is closed to an admin key with everything but %s", async (method, needed, body) => {
    const others = ADMIN_SCOPES.filter((scope) => scope !== needed);
    const answer = await post(method, body, await served().adminKey(...others));
    expect(answer.status).toBe(403);
    expect(refusedOfJson(answer.body)).toMatchObject({
      code: "permission_denied",
      reason: "MISSING_SCOPE",
      message: `this needs the admin scope ${needed}; you have ${others.join(", ")}`,
      metadata: { required: needed },
    });
  });

  test.each(ADMIN_SCOPES)("GetStatus is open to an admin key with %s alone, and closed to none", async (scope) => {
    const { getStatus } = SystemService.method;
    await expect(served().network.call(getStatus, {}, await served().adminKey(scope))).resolves.toBeDefined();
    await expect(served().network.call(getStatus, {})).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("are judged before the request", async () => {
    const answer = await post("KeyService/CreateKey", { name: "" }, await served().adminKey("keys:read"));
    expect(refusedOfJson(answer.body)).toMatchObject({ reason: "MISSING_SCOPE", fields: [] });
  });
});

describe("nobody grants what they do not have", () => {
  const own: readonly AdminScope[] = ["keys:read", "admins:write"];
  let admin: string;
  beforeAll(async () => {
    admin = await served().adminKey(...own);
  });

  test.each<[title: string, scopes: AdminScope[], granted: AdminScope[]]>([
    ["one of their own scopes", ["keys:read"], ["keys:read"]],
    ["all of their own scopes", ["admins:write", "keys:read"], ["admins:write", "keys:read"]],
    ["no scopes, which means their own", [], ["keys:read", "admins:write"]],
  ])("an admin grants %s", async (_, scopes, granted) => {
    const { key } = await served().network.call(createAdminKey, { name: "x", scopes }, admin);
    expect(key?.scopes).toEqual(granted);
  });

  test.each<[title: string, scopes: AdminScope[]]>([
    ["a scope that they lack", ["keys:write"]],
    ["a scope that they lack among their own", ["keys:read", "keys:write", "admins:write"]],
  ])("an admin does not grant %s", async (_, scopes) => {
    const { keys: before } = await served().local.call(listAdminKeys, {});
    await expect(served().network.call(createAdminKey, { name: "x", scopes }, admin)).rejects.toMatchObject({
      code: "permission_denied",
      reason: "BEYOND_OWN_SCOPES",
      message: "you cannot grant keys:write: you have keys:read, admins:write",
    });
    const { keys: after } = await served().local.call(listAdminKeys, {});
    expect(after).toEqual(before);
  });

  test("nor do they end an admin key that has more, while they end one that has as much", async () => {
    const { key: more } = await served().local.call(createAdminKey, { name: "more" });
    await expect(served().network.call(revokeAdminKey, { key: more?.id ?? "" }, admin)).rejects.toMatchObject({
      code: "permission_denied",
      reason: "BEYOND_OWN_SCOPES",
      message:
        "you cannot end a key with keys:write, owners:write, audit:read, system:write: you have keys:read, admins:write",
    });
    const { key: equal } = await served().local.call(createAdminKey, { name: "equal", scopes: [...own] });
    const { key: ended } = await served().network.call(revokeAdminKey, { key: equal?.id ?? "" }, admin);
    expect(ended?.revokedAt).toBeDefined();
    const { keys } = await served().local.call(listAdminKeys, {});
    expect(keys.find(({ id }) => id === more?.id)).toEqual(more);
  });
});

describe("on the local admin socket", () => {
  test("the caller is the administrator, whatever they present", async () => {
    const { secret } = await served().local.call(createKey, { name: "x" });
    for (const presented of [undefined, "kwadm_wrong", secret]) {
      const { key } = await served().local.call(createKey, { name: "x" }, presented);
      expect(key?.createdBy).toBe("local");
    }
  });

  test("an admin key gets every scope unless told", async () => {
    const { key } = await served().local.call(createAdminKey, { name: "x" });
    expect(key?.scopes).toEqual([...ADMIN_SCOPES]);
  });

  test("what is shown there is shown to nobody without a key over the network", async () => {
    const { key } = await served().local.call(createKey, { name: "x" });
    await expect(served().local.call(getKey, { key: key?.id ?? "" })).resolves.toMatchObject({ key });
    await expect(served().network.call(getKey, { key: key?.id ?? "" })).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdminKeyService } from "../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { KeyState } from "../../src/gen/keyward/admin/v1/key_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { SystemService } from "../../src/gen/keyward/admin/v1/system_service_pb.ts";
import { type AdminClient, CLIENTS, FETCH_CLIENT } from "./support/clients.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, getKey, listKeys, revokeKey } = KeyService.method;
const { createAdminKey, listAdminKeys, revokeAdminKey } = AdminKeyService.method;

const NAMES = Object.keys(CLIENTS);

describe.each([
  ...NAMES.map((name) => [name, "the network"] as const),
  ...NAMES.filter((name) => name !== FETCH_CLIENT).map((name) => [name, "the local socket"] as const),
])("%s on %s", (name, where) => {
  let client: AdminClient;
  let adminKey: string | undefined;
  beforeAll(async () => {
    const { keyward, socket, adminKey: newAdminKey } = served();
    const open = CLIENTS[name];
    if (open === undefined) throw new Error(`there is no client ${name}`);
    client = open(where === "the network" ? keyward.admin : socket);
    adminKey = where === "the network" ? await newAdminKey() : undefined;
  });
  afterAll(() => client.close());

  test("a key is created, shown, listed and revoked", async () => {
    const owner = `service/${crypto.randomUUID()}`;
    const created = await client.call(
      createKey,
      { name: "ci", owner, scopes: ["api:read"], expiry: { case: "expiresIn", value: { seconds: 600n } } },
      adminKey,
    );
    expect(created).toMatchObject({
      secret: expect.stringMatching(/^kw_[0-9A-Za-z]{49}$/),
      enforced: true,
      warning: "",
    });
    expect(created.key).toMatchObject({ name: "ci", owner, scopes: ["api:read"], state: KeyState.ACTIVE });
    const id = created.key?.id ?? "";

    const shown = await client.call(getKey, { key: id }, adminKey);
    expect(shown.key).toEqual(created.key);
    const listed = await client.call(listKeys, { pageSize: 1, filter: `owner = "${owner}"` }, adminKey);
    expect(listed).toMatchObject({ keys: [created.key], nextPageToken: "" });

    const revoked = await client.call(revokeKey, { key: id, reason: "left" }, adminKey);
    expect(revoked).toMatchObject({ enforced: true, key: { id, state: KeyState.REVOKED, revokeReason: "left" } });
  });

  test("an admin key is created, listed and revoked", async () => {
    const created = await client.call(createAdminKey, { name: "bob", scopes: ["keys:read"] }, adminKey);
    expect(created).toMatchObject({ secret: expect.stringMatching(/^kwadm_[0-9A-Za-z]{49}$/) });
    expect(created.key).toMatchObject({ name: "bob", scopes: ["keys:read"], revokedBy: "" });
    const { keys } = await client.call(listAdminKeys, {}, adminKey);
    expect(keys).toContainEqual(created.key);
    const id = created.key?.id ?? "";
    const revoked = await client.call(revokeAdminKey, { key: id }, adminKey);
    expect(revoked.key).toMatchObject({ id, revokedAt: expect.anything(), revokedBy: revoked.key?.createdBy });
  });

  test("the status tells that every check thread has applied the last change", async () => {
    const { key } = await client.call(createKey, { name: "last" }, adminKey);
    const status = await client.call(SystemService.method.getStatus, {}, adminKey);
    expect(status).toMatchObject({ mode: "all", database: served().keyward.database, revision: key?.revision });
    expect(status.checkThreads).toMatchObject([{ serving: true, appliedRevision: key?.revision }]);
  });

  test("every field that is wrong is named", async () => {
    const wrong = { name: "", scopes: ["api:read", "api read"], paths: ["v1"] };
    await expect(client.call(createKey, wrong, adminKey)).rejects.toMatchObject({
      code: "invalid_argument",
      reason: "INVALID_ARGUMENT",
      domain: "keyward",
      fields: ["name", "scopes[1]", "paths[0]"],
    });
  });

  test("of very many fields that are wrong the first are named, and the connection goes on", async () => {
    const scopes = Array.from({ length: 100 }, (_, at) => `${"ä".repeat(60)}${at}`);
    const paths = Array.from({ length: 50 }, (_, at) => `${"ö".repeat(60)}${at}`);
    const refusal = client.call(createKey, { name: "k", scopes, paths }, adminKey);
    await expect(refusal).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(/^scopes\[0\] .* and \d+ more$/),
      fields: expect.arrayContaining(["scopes[0]", "scopes[1]"]),
    });
    await expect(client.call(getKey, { key: "key_0" }, adminKey)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a key that is not there is not found", async () => {
    await expect(client.call(getKey, { key: "key_0" }, adminKey)).rejects.toMatchObject({
      code: "not_found",
      reason: "KEY_NOT_FOUND",
      domain: "keyward",
      message: "no key answers to that name",
    });
  });
});

test.each(Object.entries(CLIENTS))("%s without an admin key is unauthenticated over the network", async (_, open) => {
  const client = open(served().keyward.admin);
  try {
    await expect(client.call(listKeys, {})).rejects.toMatchObject({
      code: "unauthenticated",
      reason: "UNAUTHENTICATED",
    });
  } finally {
    client.close();
  }
});

import { expect } from "vitest";
import { ADMIN_SCOPES } from "../../../src/admin/admin-scope.ts";
import { SystemService } from "../../../src/gen/keyward/admin/v1/system_service_pb.ts";
import { type Allowed, type Attack, KEY_NOT_FOUND, OTHER_TENANT } from "./tenancy-rows.ts";
import { FOREIGNERS, NAMES, type World } from "./tenancy-world.ts";

const CREATE = "AdminKeyService/CreateAdminKey";
const LIST = "AdminKeyService/ListAdminKeys";
const REVOKE = "AdminKeyService/RevokeAdminKey";

const NAMED: Attack[] = FOREIGNERS.flatMap((whose) =>
  NAMES.map((name) => ({
    method: REVOKE,
    title: `of an admin key of ${whose}, by its ${name}`,
    body: ({ adminKeys }) => ({ key: adminKeys[whose][name] }),
    twin: ({ adminKeys }) => ({ key: adminKeys.nobody[name] }),
    refused: KEY_NOT_FOUND,
  })),
);

const MINTING: Attack[] = [
  {
    method: CREATE,
    title: "for another tenant",
    body: () => ({ name: "x", tenant: "globex" }),
    twin: () => ({ name: "x", tenant: "nobody" }),
    refused: OTHER_TENANT,
  },
  {
    method: CREATE,
    title: "with more scopes than the caller has",
    by: "minter",
    body: () => ({ name: "x", scopes: ["admins:write", "keys:write"] }),
    refused: {
      code: "permission_denied",
      reason: "BEYOND_OWN_SCOPES",
      message: "you cannot grant keys:write: you have admins:write",
    },
  },
  {
    method: REVOKE,
    title: "of an admin key of acme that has more scopes than the caller",
    by: "minter",
    body: async ({ make }) => ({ key: await adminKeyOf(make, { tenant: "acme", scopes: ["keys:read"] }) }),
    refused: {
      code: "permission_denied",
      reason: "BEYOND_OWN_SCOPES",
      message: "you cannot end a key with keys:read: you have admins:write",
    },
  },
];

/** There is nothing of a tenant in it: a method that is added is closed too. */
const WHOLE_PROGRAM: Attack[] = SystemService.methods.map(({ name }) => ({
  method: `SystemService/${name}`,
  title: "at all",
  body: () => ({}),
  refused: {
    code: "permission_denied",
    reason: "TENANT_BOUND",
    message: "keyward.admin.v1.SystemService is closed to admin keys that are bound to a tenant",
  },
}));

/** What an admin of acme tries with admin keys and the program. */
export const ADMIN_ATTACKS: readonly Attack[] = [...NAMED, ...MINTING, ...WHOLE_PROGRAM];

/** What an admin of acme may do with admin keys; with the program, only one who is bound to no tenant. */
export const ADMINS_ALLOWED: readonly Allowed[] = [
  {
    method: CREATE,
    title: "without a tenant, which binds it to acme",
    body: () => ({ name: "x" }),
    answered: { key: { tenant: "acme", scopes: ADMIN_SCOPES }, secret: expect.stringMatching(/^kwadm_/) },
  },
  {
    method: CREATE,
    title: "for acme, with less than the caller has",
    body: () => ({ name: "x", tenant: "acme", scopes: ["keys:read"] }),
    answered: { key: { tenant: "acme", scopes: ["keys:read"] } },
  },
  {
    method: REVOKE,
    title: "of an admin key of acme, whoever made it",
    body: async ({ make }) => ({ key: await adminKeyOf(make, { tenant: "acme" }) }),
    answered: { key: { tenant: "acme", revokedBy: expect.stringMatching(/^akey_/) } },
  },
  {
    method: LIST,
    title: "of acme",
    body: () => ({}),
    answered: { keys: expect.arrayContaining([expect.objectContaining({ tenant: "acme" })]) },
  },
  {
    method: "SystemService/GetStatus",
    title: "by one who is bound to no tenant",
    by: "free",
    body: () => ({}),
    answered: { mode: "all" },
  },
  {
    method: "SystemService/RotateSigningKey",
    title: "by one who is bound to no tenant",
    by: "free",
    body: () => ({ alg: "ES256" }),
    answered: { signingKey: { alg: "ES256" } },
  },
  {
    method: "SystemService/Backup",
    title: "by one who is bound to no tenant",
    by: "free",
    body: () => ({}),
    answered: { totalBytes: expect.any(String) },
  },
];

async function adminKeyOf(make: World["make"], more: object): Promise<string> {
  const { key } = await make(CREATE, { name: "x", ...more });
  return (key as { id: string }).id;
}

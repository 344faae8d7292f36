import { adminCall, createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";

/** A key as its holder knows it, and its id. */
export interface TableKey {
  readonly id: string;
  readonly secret: string;
}

/** Makes a key through the local admin socket. */
type MakeKey = (socket: string) => Promise<TableKey>;

type Fields = Readonly<Record<string, unknown>>;

const READS = { scopes: ["orders:read"] };
/** For keys of which something else is to be seen. */
const EVERY = { scopes: ["*"] };

const DAY_MS = 86_400_000;

/** Every key of the table. */
export const KEYS = {
  "no scopes": made({}),
  "orders:read": made(READS),
  "orders:write": made({ scopes: ["orders:write"] }),
  "billing:read": made({ scopes: ["billing:read"] }),
  "both reads": made({ scopes: ["orders:read", "billing:read"] }),
  "orders:*": made({ scopes: ["orders:*"] }),
  "every scope": made(EVERY),
  "admin:all": made({ scopes: ["admin:all"] }),

  "path /v1": made({ ...EVERY, paths: ["/v1"] }),
  "path /v1/orders": made({ ...EVERY, paths: ["/v1/orders"] }),
  "path =/v1/orders": made({ ...EVERY, paths: ["=/v1/orders"] }),
  "two paths": made({ ...EVERY, paths: ["/v1/orders/7", "=/v1x/ping"] }),
  "method GET": made({ ...EVERY, methods: ["GET"] }),
  "from 127.0.0.1": made({ ...EVERY, cidrs: ["127.0.0.1/32"] }),
  "from 10.0.0.0/8": made({ ...EVERY, cidrs: ["10.0.0.0/8"] }),
  // Whoever makes it has to use it once.
  "used up": made({ ...READS, rateLimit: { requests: 1, window: "2678400s" } }),

  "not yet": made({ ...EVERY, notBefore: new Date(Date.now() + DAY_MS) }),
  expired: changed("UpdateKey", { updateMask: "expiresAt", expiresAt: new Date(Date.now() - DAY_MS) }),
  disabled: changed("DisableKey"),
  "enabled again": async (socket) => {
    const key = await changed("DisableKey")(socket);
    await adminCall(socket, "KeyService/EnableKey", { key: key.id });
    return key;
  },
  revoked: changed("RevokeKey"),
  rotated: async (socket) => (await rotated(socket, "86400s")).old,
  // Whoever makes it has to wait for a second.
  "rotated, grace over": async (socket) => (await rotated(socket, "1s")).old,
  "rotated, no grace": async (socket) => (await rotated(socket, "0s")).old,
  successor: async (socket) => (await rotated(socket, "86400s")).successor,
  "successor, no grace": async (socket) => (await rotated(socket, "0s")).successor,

  "owner disabled": async (socket) => {
    const key = await owned(socket, { owner: "service/off" }, EVERY);
    await adminCall(socket, "OwnerService/UpdateOwner", {
      owner: "service/off",
      updateMask: "disabled",
      disabled: true,
    });
    return key;
  },
  "owner deleted": async (socket) => {
    const key = await owned(socket, { owner: "service/gone" }, EVERY);
    await adminCall(socket, "OwnerService/DeleteOwner", { owner: "service/gone" });
    return key;
  },
  "cut by its owner": (socket) =>
    owned(socket, { owner: "service/cut", scopes: ["orders:read", "billing:read"] }, { scopes: ["orders:*"] }),
  inherits: (socket) => owned(socket, { owner: "service/rich", scopes: ["orders:*"] }, { inheritScopes: true }),
  "inherits, no list": async (socket) => {
    const key = await owned(socket, { owner: "service/poor", scopes: ["*"] }, { inheritScopes: true });
    const change = { updateMask: "limitScopes", limitScopes: false };
    await adminCall(socket, "OwnerService/UpdateOwner", { owner: "service/poor", ...change });
    return key;
  },
  "tenant acme": made({ tenant: "acme" }),
  "owner project/p1": made({ owner: "project/p1" }),
  "acme, p1, GET, path /t": made({ tenant: "acme", owner: "project/p1", methods: ["GET"], paths: ["/t"] }),

  signed: made({ ...READS, format: "KEY_FORMAT_JWT" }),
  "signed, revoked": async (socket) => {
    const key = await createKey(socket, { ...EVERY, format: "KEY_FORMAT_JWT" });
    await adminCall(socket, "KeyService/RevokeKey", { key: key.id });
    return key;
  },
  unknown: async () => ({ id: "", secret: secretOf("nobody's") }),
  "admin key": async (socket) => {
    const { secret } = await adminCall<{ secret: string }>(socket, "AdminKeyService/CreateAdminKey", { name: "a" });
    return { id: "", secret };
  },
} as const satisfies Readonly<Record<string, MakeKey>>;

/** The name of a key: a row of the table. */
export type KeyName = keyof typeof KEYS;

function made(fields: Fields): MakeKey {
  return (socket) => createKey(socket, fields);
}

/** A key that has every scope, and to which something has happened since. */
function changed(method: string, change: Fields = {}): MakeKey {
  return async (socket) => {
    const key = await createKey(socket, EVERY);
    await adminCall(socket, `KeyService/${method}`, { key: key.id, ...change });
    return key;
  };
}

async function rotated(socket: string, grace: string): Promise<{ old: TableKey; successor: TableKey }> {
  const old = await createKey(socket, READS);
  const { key, secret = "" } = await adminCall(socket, "KeyService/RotateKey", { key: old.id, grace });
  return { old, successor: { id: key.id, secret } };
}

async function owned(socket: string, owner: Fields & { readonly owner: string }, key: Fields): Promise<TableKey> {
  await adminCall(socket, "OwnerService/CreateOwner", owner);
  return createKey(socket, { owner: owner.owner, ...key });
}

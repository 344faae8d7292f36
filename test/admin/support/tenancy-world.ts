import type { JsonObject } from "@bufbuild/protobuf";
import Database from "better-sqlite3";
import { ADMIN_PREFIX, SECRET_RANDOM_BYTES, startOf, writeSecret } from "../../../src/key/secret.ts";
import type { Keyward } from "../../support/keyward.ts";
import { sendHttp1 } from "./http.ts";
import type { Served } from "./served.ts";
import { firstOfStream } from "./stream.ts";

/** The tenant of whoever attacks here; what its admin keys may grant; and what its keys begin with. */
export const TENANCY_CONFIG = `
tenants:
  acme: { grantable_scopes: [orders:read, "billing:*"], prefix: acme_live }
  globex: { grantable_scopes: ["*"] }
`;

/** Encrypts what signs keys. */
export const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

/** The ways in which a call can name a key. */
export const NAMES = ["id", "start", "eight", "secret"] as const;

/** What a key is known by. */
export type Names = Readonly<Record<(typeof NAMES)[number], string>> & { readonly etag: string };

/** Owners that are registered in the tenant globex and without tenant, and one that is registered nowhere. */
export const FOREIGN_OWNER = "user/bobby";
export const NOBODY = "user/nobdy";

/** Whose things are not those of acme. */
export const FOREIGNERS = ["globex", "none"] as const;

/** Methods that answer with a stream; of that, tests see the first message. */
const STREAMING = ["AuditService/WatchEvents", "SystemService/Backup"];

interface OwnOwner {
  readonly owner: string;
  readonly etag: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What there is before the first attack, and who is there to make one. */
export interface World {
  readonly keyward: Keyward;
  /** The secrets of admin keys. */
  readonly callers: {
    /** Bound to acme, with every admin scope. */
    readonly attacker: string;
    /** Bound to acme, and only there to make admin keys. */
    readonly minter: string;
    /** Bound to globex, with every admin scope. */
    readonly globex: string;
    /** Bound to nothing, with every admin scope. */
    readonly free: string;
  };
  readonly keys: Readonly<Record<(typeof FOREIGNERS)[number] | "nobody", Names>>;
  readonly adminKeys: Readonly<Record<(typeof FOREIGNERS)[number] | "nobody", Names>>;
  /** A key of globex whose secret is a token. */
  readonly signedKey: Names;
  /** A key and an owner of acme that no row changes. */
  readonly ownKey: Names;
  readonly ownOwner: OwnOwner;
  /** The etag of the owner in globex. */
  readonly foreignEtag: string;
  /** Calls a method as the administrator on this machine, who must not be refused. */
  make(method: string, body: object): Promise<JsonObject>;
  /** Makes a key of acme, whatever it may ask for, and returns its names. */
  acmeKey(more?: object): Promise<Names>;
  /** Registers an owner of acme, whatever its list, and returns its name. */
  acmeOwner(more?: object): Promise<string>;
  /** Calls a method over the network with an admin key. The headers are those that do not tell the time. */
  ask(method: string, body: object, caller: string): Promise<Answer>;
}

/** Gives globex and nobody a key, an owner and an admin key each. */
export async function createWorld({ keyward, post }: Served): Promise<World> {
  let count = 0;
  const make: World["make"] = async (method, body) => {
    const { answer, refused } = await post(method, body);
    if (refused !== undefined) throw refused;
    return answer;
  };
  const keyOf = async (body: object) => namesOf(await make("KeyService/CreateKey", { name: "k", ...body }));
  const adminKeyOf = async (body: object) =>
    namesOf(await make("AdminKeyService/CreateAdminKey", { name: "a", ...body }));
  const ownerOf = async (body: object) => (await make("OwnerService/CreateOwner", body)).owner as unknown as OwnOwner;
  const foreignOwner = { owner: FOREIGN_OWNER, scopes: ["orders:read"] };
  await ownerOf(foreignOwner);
  const [globexAdmin, freeAdmin] = [await adminKeyOf({ tenant: "globex" }), await adminKeyOf({})];
  const { etag: foreignEtag } = await ownerOf({ ...foreignOwner, tenant: "globex" });
  return {
    keyward,
    callers: {
      attacker: (await adminKeyOf({ tenant: "acme" })).secret,
      minter: (await adminKeyOf({ tenant: "acme", scopes: ["admins:write"] })).secret,
      globex: globexAdmin.secret,
      free: freeAdmin.secret,
    },
    keys: {
      globex: await keyOf({ ...foreignOwner, tenant: "globex" }),
      none: await keyOf(foreignOwner),
      nobody: neverMade("key", "kw"),
    },
    ownOwner: await ownerOf({ owner: "project/own", tenant: "acme" }),
    foreignEtag,
    signedKey: await keyOf({ tenant: "globex", format: "KEY_FORMAT_JWT", alg: "ES256" }),
    ownKey: await keyOf({ tenant: "acme", scopes: ["orders:read"] }),
    adminKeys: { globex: globexAdmin, none: freeAdmin, nobody: neverMade("akey", ADMIN_PREFIX) },
    make,
    acmeKey: (more = {}) => keyOf({ tenant: "acme", scopes: ["orders:read"], ...more }),
    acmeOwner: async (more = {}) => {
      const owner = `project/acme-${++count}`;
      await ownerOf({ owner, tenant: "acme", ...more });
      return owner;
    },
    async ask(method, body, caller) {
      const path = `/keyward.admin.v1.${method}`;
      const authorization = `Bearer ${caller}`;
      const { headers, ...answer } = STREAMING.includes(method)
        ? await firstOfStream(keyward.admin, path, { authorization }, body)
        : await sendHttp1(keyward.admin, {
            path,
            headers: { "content-type": "application/json", authorization },
            body: JSON.stringify(body),
          });
      const { date: _, ...timeless } = headers;
      return { ...answer, headers: timeless };
    },
  };
}

/** All that the database holds. */
export function everyRow({ database }: Keyward): Record<string, unknown[]> {
  return rowsOf(database, () => "1");
}

/** Keys, owners and admin keys that are not those of acme. */
export function foreignRows({ database }: Keyward): Record<string, unknown[]> {
  const kept = ["keys", "owners", "admin_keys"];
  return rowsOf(database, (table) => (kept.includes(table) ? "coalesce(tenant, '') <> 'acme'" : "0"));
}

function rowsOf(database: string, conditionOf: (table: string) => string): Record<string, unknown[]> {
  const db = new Database(database, { readonly: true });
  try {
    const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    const rows = (table: string) => db.prepare<[], object>(`SELECT * FROM ${table} WHERE ${conditionOf(table)}`).all();
    return Object.fromEntries(tables.map((table) => [table, rows(table).map(readable)]));
  } finally {
    db.close();
  }
}

/** A row in which digests are texts, so that a difference can be read. */
function readable(row: object): object {
  const columns = Object.entries(row).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString("hex") : value,
  ]);
  return Object.fromEntries(columns);
}

function namesOf({ key, secret }: JsonObject): Names {
  const { id, start, etag = "" } = key as { id: string; start: string; etag?: string };
  return { id, start, eight: start.slice(-8), secret: String(secret), etag };
}

/** Names that are as good as any, of a key that nobody has made. */
function neverMade(kind: "key" | "akey", prefix: string): Names {
  const secret = writeSecret(prefix, new Uint8Array(SECRET_RANDOM_BYTES).fill(7));
  const start = startOf(secret);
  return { id: `${kind}_${"0".repeat(20)}`, start, eight: start.slice(-8), secret, etag: "1" };
}

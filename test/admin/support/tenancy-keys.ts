import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { tokenOf } from "../../support/sample-keys.ts";
import {
  type Allowed,
  type Attack,
  beyondGrantable,
  FOREIGN_PAGE,
  KEY_NOT_FOUND,
  OTHER_TENANT,
  staleEtag,
} from "./tenancy-rows.ts";
import { FOREIGN_OWNER, FOREIGNERS, NAMES, type Names, NOBODY, type World } from "./tenancy-world.ts";

const CREATE = "KeyService/CreateKey";
const GET = "KeyService/GetKey";
const LIST = "KeyService/ListKeys";
const UPDATE = "KeyService/UpdateKey";
const ROTATE = "KeyService/RotateKey";
const REVOKE = "KeyService/RevokeKey";
const DISABLE = "KeyService/DisableKey";
const ENABLE = "KeyService/EnableKey";
const EXPLAIN = "KeyService/ExplainCheck";
const VERIFY = "KeyService/VerifyKey";
const IMPORT = "KeyService/ImportKeys";

/** What is asked of a key that somebody names. */
const OF_A_KEY: Readonly<Record<string, (names: Names) => object>> = {
  [GET]: () => ({}),
  [UPDATE]: () => ({ updateMask: "name", name: "mine" }),
  [ROTATE]: () => ({}),
  [REVOKE]: () => ({ reason: "mine" }),
  [DISABLE]: () => ({}),
  [ENABLE]: () => ({}),
};

/** Every method that names a key, for every way to name it, for a key of another tenant and one of none. */
const NAMED: Attack[] = Object.entries(OF_A_KEY).flatMap(([method, more]) =>
  FOREIGNERS.flatMap((whose) =>
    NAMES.map((name): Attack => {
      const call = (names: Names) => ({ key: names[name], ...more(names) });
      return {
        method,
        title: `of a key of ${whose}, by its ${name}`,
        body: ({ keys }) => call(keys[whose]),
        twin: ({ keys }) => call(keys.nobody),
        refused: KEY_NOT_FOUND,
      };
    }),
  ),
);

/** What would come of a request with a key that is named, and not presented. */
const EXPLAINING: Omit<Attack, "method">[] = FOREIGNERS.flatMap((whose) =>
  NAMES.filter((name) => name !== "secret").map((name) => ({
    title: `of a key of ${whose}, by its ${name}`,
    body: ({ keys }) => ({ key: keys[whose][name], method: "GET", path: "/" }),
    twin: ({ keys }) => ({ key: keys.nobody[name], method: "GET", path: "/" }),
    refused: KEY_NOT_FOUND,
  })),
);

/** The same for a key whose secret is a token. */
const TOKENS: Attack[] = Object.entries(OF_A_KEY).map(([method, more]) => ({
  method,
  title: "of a signed key of another tenant, by its token",
  body: ({ keys, signedKey }) => ({ key: signedKey.secret, ...more(keys.nobody) }),
  twin: ({ keys }) => ({ key: tokenOf("nobody's"), ...more(keys.nobody) }),
  refused: KEY_NOT_FOUND,
}));

const SIGNED = { format: "KEY_FORMAT_JWT", alg: "ES256" };

/** Who may grant anything has made it, and now it is there. */
const richKey = async (world: World, more: object = {}) =>
  (await world.acmeKey({ scopes: ["orders:read", "orders:write"], ...more })).id;

/** A key that has all of an owner that is richer by now than acme may be granted. */
async function keyOfRichOwner(world: World): Promise<string> {
  const owner = await world.acmeOwner({ scopes: ["orders:read"] });
  const { id } = await world.acmeKey({ owner, inheritScopes: true, scopes: [] });
  const request = { owner, tenant: "acme", updateMask: "scopes", scopes: ["orders:read", "shipping:*"] };
  await world.make("OwnerService/UpdateOwner", request);
  return id;
}

async function disabled(world: World, id: string): Promise<object> {
  await world.make(DISABLE, { key: id });
  return { key: id };
}

const nextPage = async (world: World, caller: keyof World["callers"], filter: string) => {
  const page = await world.ask(LIST, { pageSize: 1, filter }, world.callers[caller]);
  return { filter, pageToken: (JSON.parse(page.body) as { nextPageToken: string }).nextPageToken };
};

const MADE_UP_TOKEN = "bWFkZSB1cCwgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZQ";

/** A request to import keys that nobody has. */
function imported(...keys: object[]): object {
  const named = keys.map((key, line) => ({ line, name: "x", sha256: randomBytes(32).toString("base64"), ...key }));
  return { source: "kong", keys: named, commit: true };
}

const onLine = (line: number, refused: Extract<Attack["refused"], { code: string }>) => {
  return { ...refused, message: `line ${line}: ${refused.message}` };
};

const IMPORTING: Omit<Attack, "method">[] = [
  {
    title: "of a key of another tenant, beside one of acme",
    body: () => imported({}, { tenant: "globex" }),
    twin: () => imported({}, { tenant: "nobody" }),
    refused: onLine(1, OTHER_TENANT),
  },
  {
    title: "of a key of another tenant, only to see what would come of it",
    body: () => ({ ...imported({ tenant: "globex" }), validateOnly: true }),
    twin: () => ({ ...imported({ tenant: "nobody" }), validateOnly: true }),
    refused: onLine(0, OTHER_TENANT),
  },
  {
    title: "of a scope beside what is grantable",
    body: () => imported({ scopes: ["orders:read"] }, { scopes: ["orders:write"] }),
    refused: onLine(1, beyondGrantable("orders:write")),
  },
  {
    title: "that somebody else has begun",
    body: async (world) => {
      const { body } = await world.ask(IMPORT, { ...imported({}), commit: false }, world.callers.globex);
      return { ...imported({}), importId: (JSON.parse(body) as { importId: string }).importId };
    },
    twin: () => ({ ...imported({}), importId: "import_00000000000000000000" }),
    refused: {
      code: "not_found",
      reason: "IMPORT_NOT_FOUND",
      message: "there is no such import in progress; begin a new one",
    },
  },
];

const CREATING: Omit<Attack, "method">[] = [
  {
    title: "in another tenant",
    body: () => ({ name: "x", tenant: "globex" }),
    twin: () => ({ name: "x", tenant: "nobody" }),
    refused: OTHER_TENANT,
  },
  {
    title: "in another tenant, only to see what would come of it",
    body: () => ({ name: "x", tenant: "globex", validateOnly: true }),
    twin: () => ({ name: "x", tenant: "nobody", validateOnly: true }),
    refused: OTHER_TENANT,
  },
  {
    title: "in a tenant whose name goes on",
    body: () => ({ name: "x", tenant: "acme-2" }),
    refused: OTHER_TENANT,
  },
  {
    title: "of a scope beside what is grantable",
    body: () => ({ name: "x", scopes: ["orders:write"] }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of a scope beside what is grantable, only to see what would come of it",
    body: () => ({ name: "x", scopes: ["orders:write"], validateOnly: true }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of such scopes among others",
    body: () => ({ name: "x", scopes: ["orders:read", "shipping:*", "billing:read", "admin"] }),
    refused: beyondGrantable("shipping:*", "admin"),
  },
  {
    title: "of every scope",
    body: () => ({ name: "x", tenant: "acme", scopes: ["*"] }),
    refused: beyondGrantable("*"),
  },
  {
    title: "of a wildcard over a scope that is grantable",
    body: () => ({ name: "x", scopes: ["orders:*"] }),
    refused: beyondGrantable("orders:*"),
  },
  {
    title: "of the stem of a wildcard that is grantable",
    body: () => ({ name: "x", scopes: ["billing"] }),
    refused: beyondGrantable("billing"),
  },
  {
    title: "that is signed, of a scope beside what is grantable",
    body: () => ({ name: "x", scopes: ["orders:write"], ...SIGNED }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "that has all of a rich owner",
    body: async (world) => {
      const owner = await world.acmeOwner({ scopes: ["orders:read", "shipping:*"] });
      return { name: "x", owner, inheritScopes: true };
    },
    refused: beyondGrantable("shipping:*"),
  },
  {
    title: "that has all of an owner in another tenant",
    body: () => ({ name: "x", owner: FOREIGN_OWNER, inheritScopes: true }),
    twin: () => ({ name: "x", owner: NOBODY, inheritScopes: true }),
    refused: {
      code: "failed_precondition",
      reason: "NOTHING_TO_INHERIT",
      message: `${FOREIGN_OWNER} of the tenant acme has no list of scopes to inherit; register the owner with one`,
    },
  },
];

const CHANGING: Omit<Attack, "method">[] = [
  {
    title: "of a key of another tenant, with its etag",
    body: ({ keys: { globex } }) => ({ key: globex.id, updateMask: "name", name: "x", etag: globex.etag }),
    twin: ({ keys: { nobody, globex } }) => ({ key: nobody.id, updateMask: "name", name: "x", etag: globex.etag }),
    refused: KEY_NOT_FOUND,
  },
  {
    title: "of a key of acme, with the etag of one of another tenant",
    body: ({ ownKey: { id }, keys }) => ({ key: id, updateMask: "name", name: "x", etag: keys.globex.etag }),
    twin: ({ ownKey: { id } }) => ({ key: id, updateMask: "name", name: "x", etag: "987654321" }),
    refused: ({ ownKey }) => staleEtag("key", ownKey.etag),
  },
  {
    title: "to a scope beside what is grantable",
    body: ({ ownKey: { id } }) => ({ key: id, updateMask: "scopes", scopes: ["orders:read", "orders:write"] }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "to such a scope, only to see what would come of it",
    body: ({ ownKey: { id } }) => ({ key: id, updateMask: "scopes", scopes: ["*"], validateOnly: true }),
    refused: beyondGrantable("*"),
  },
  {
    title: "to all of a rich owner",
    body: async (world) => {
      const owner = await world.acmeOwner({ scopes: ["orders:write"] });
      const { id } = await world.acmeKey({ owner });
      return { key: id, updateMask: "inheritScopes", inheritScopes: true };
    },
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of the end of a key that has more than is grantable",
    body: async (world) => ({ key: await richKey(world, { expiresIn: "60s" }), updateMask: "expiresAt" }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of the networks of a key that has all of a rich owner",
    body: async (world) => ({ key: await keyOfRichOwner(world), updateMask: "cidrs" }),
    refused: beyondGrantable("shipping:*"),
  },
];

const REPLACING: Omit<Attack, "method">[] = [
  {
    title: "of a key that has more than is grantable, for its secret",
    body: async (world) => ({ key: await richKey(world) }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of such a key that is signed",
    body: async (world) => ({ key: await richKey(world, SIGNED) }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of such a key, only to see what would come of it",
    body: async (world) => ({ key: await richKey(world), validateOnly: true }),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of a key that has all of a rich owner",
    body: async (world) => ({ key: await keyOfRichOwner(world) }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    title: "under the request id with which another admin has done it",
    body: async (world) => {
      const { id } = await world.acmeKey();
      const request = { key: id, requestId: `r-${id}` };
      await world.ask(ROTATE, request, world.callers.free);
      return request;
    },
    twin: async (world) => {
      const { id } = await world.acmeKey();
      await world.make(ROTATE, { key: id });
      return { key: id, requestId: `r-${id}` };
    },
    refused: {
      code: "failed_precondition",
      reason: "KEY_STATE",
      message: "only an active key can be rotated; this one is rotated",
    },
  },
];

const OPENING: Omit<Attack, "method">[] = [
  {
    title: "of a key that has more than is grantable",
    body: async (world) => disabled(world, await richKey(world)),
    refused: beyondGrantable("orders:write"),
  },
  {
    title: "of a key that has all of a rich owner",
    body: async (world) => disabled(world, await keyOfRichOwner(world)),
    refused: beyondGrantable("shipping:*"),
  },
];

const LISTING: Omit<Attack, "method">[] = [
  {
    title: "of another tenant",
    body: () => ({ filter: "tenant = globex" }),
    twin: () => ({ filter: "tenant = nobody" }),
    refused: OTHER_TENANT,
  },
  {
    title: "of another tenant, among other things",
    body: () => ({ filter: 'state = ACTIVE AND tenant = "globex" AND owner = user/bobby' }),
    refused: OTHER_TENANT,
  },
  {
    title: "from where a caller who is bound to another tenant has come to",
    body: async (world) => {
      await world.make(CREATE, { name: "x", tenant: "globex" });
      return nextPage(world, "globex", "");
    },
    twin: () => ({ pageToken: MADE_UP_TOKEN }),
    refused: FOREIGN_PAGE,
  },
  {
    title: "from where a caller who sees all has come to",
    body: async (world) => nextPage(world, "free", ""),
    twin: () => ({ pageToken: MADE_UP_TOKEN }),
    refused: FOREIGN_PAGE,
  },
  {
    title: "from where a caller who sees all has come to with the filter of this tenant",
    body: async (world) => {
      await world.acmeKey();
      return nextPage(world, "free", "tenant = acme");
    },
    twin: () => ({ filter: "tenant = acme", pageToken: MADE_UP_TOKEN }),
    refused: FOREIGN_PAGE,
  },
];

const of = (method: string) => (row: Omit<Attack, "method">) => ({ method, ...row });

/** What an admin of acme tries with keys. */
export const KEY_ATTACKS: readonly Attack[] = [
  ...NAMED,
  ...TOKENS,
  ...CREATING.map(of(CREATE)),
  ...IMPORTING.map(of(IMPORT)),
  ...CHANGING.map(of(UPDATE)),
  ...REPLACING.map(of(ROTATE)),
  ...OPENING.map(of(ENABLE)),
  ...LISTING.map(of(LIST)),
  ...EXPLAINING.map(of(EXPLAIN)),
];

const OWN_SECRET = expect.stringMatching(/^acme_live_/);

/** What an admin of acme may do with keys. */
export const KEYS_ALLOWED: readonly Allowed[] = [
  {
    method: CREATE,
    title: "without a tenant, which makes it one of acme",
    body: () => ({ name: "x", scopes: ["orders:read"] }),
    answered: { key: { tenant: "acme", scopes: ["orders:read"] }, secret: OWN_SECRET },
  },
  {
    method: CREATE,
    title: "in acme, of what a grantable wildcard covers",
    body: () => ({ name: "x", tenant: "acme", scopes: ["billing:refund:all", "billing:*"] }),
    answered: { key: { tenant: "acme", scopes: ["billing:refund:all", "billing:*"] } },
  },
  {
    method: CREATE,
    title: "that is signed, of a scope that is grantable",
    body: () => ({ name: "x", scopes: ["orders:read"], ...SIGNED }),
    answered: { key: { tenant: "acme", alg: "ES256" } },
  },
  {
    method: CREATE,
    title: "of no scopes at all",
    body: () => ({ name: "x" }),
    answered: { key: { tenant: "acme" } },
  },
  {
    method: CREATE,
    title: "that has all of an owner who has no more than is grantable",
    body: async (world) => ({
      name: "x",
      owner: await world.acmeOwner({ scopes: ["billing:*"] }),
      inheritScopes: true,
    }),
    answered: { key: { tenant: "acme", inheritScopes: true } },
  },
  {
    method: CREATE,
    title: "under a request id that another admin has used for the same, which makes another key",
    body: async (world) => {
      const request = { name: "same", requestId: "used-by-another" };
      await world.make(CREATE, request);
      await world.ask(CREATE, request, world.callers.globex);
      await world.ask(CREATE, request, world.callers.free);
      return request;
    },
    answered: { key: { tenant: "acme" }, secret: OWN_SECRET },
  },
  ...NAMES.map(
    (name): Allowed => ({
      method: GET,
      title: `of a key of acme, by its ${name}`,
      body: ({ ownKey }) => ({ key: ownKey[name] }),
      answered: ({ ownKey: { id } }) => ({ key: { id, tenant: "acme" } }),
    }),
  ),
  {
    method: GET,
    title: "of a signed key of acme, by its token",
    body: async (world) => ({ key: (await world.acmeKey(SIGNED)).secret }),
    answered: { key: { tenant: "acme", alg: "ES256" } },
  },
  {
    method: GET,
    title: "of a key that has more than is grantable",
    body: async (world) => ({ key: await richKey(world) }),
    answered: { key: { tenant: "acme", scopes: ["orders:read", "orders:write"] } },
  },
  {
    method: UPDATE,
    title: "to scopes that are grantable",
    body: async (world) => ({ key: await richKey(world), updateMask: "scopes", scopes: ["billing:read"] }),
    answered: { key: { tenant: "acme", scopes: ["billing:read"] } },
  },
  {
    method: ROTATE,
    title: "of a key of acme",
    body: async (world) => ({ key: (await world.acmeKey()).id }),
    answered: { key: { tenant: "acme", scopes: ["orders:read"] }, rotated: { state: "KEY_STATE_ROTATED" } },
  },
  {
    method: ROTATE,
    title: "under a request id that another admin has used, which is a rotation of its own",
    body: async (world) => {
      const requestId = "rotated-by-another";
      await world.make(CREATE, { name: "x", requestId });
      await world.ask(CREATE, { name: "x", requestId }, world.callers.free);
      return { key: (await world.acmeKey()).id, requestId };
    },
    answered: { key: { tenant: "acme" }, secret: expect.stringMatching(/^acme_live_/) },
  },
  {
    method: REVOKE,
    title: "of a key that has more than is grantable",
    body: async (world) => ({ key: await richKey(world) }),
    answered: { key: { state: "KEY_STATE_REVOKED" } },
  },
  {
    method: DISABLE,
    title: "of a key that has more than is grantable",
    body: async (world) => ({ key: await richKey(world) }),
    answered: { key: { state: "KEY_STATE_DISABLED" } },
  },
  {
    method: ENABLE,
    title: "of a key that has what is grantable",
    body: async (world) => disabled(world, (await world.acmeKey()).id),
    answered: { key: { state: "KEY_STATE_ACTIVE" } },
  },
  {
    method: EXPLAIN,
    title: "of a key of acme",
    body: ({ ownKey }) => ({ key: ownKey.id, method: "GET", path: "/" }),
    answered: ({ ownKey: { id } }) => ({ allowed: true, reason: "allowed", key: { id, tenant: "acme" } }),
  },
  {
    method: VERIFY,
    title: "of a key of acme",
    body: ({ ownKey }) => ({ key: ownKey.secret }),
    answered: ({ ownKey: { id } }) => ({ valid: true, reason: "allowed", key: { id, tenant: "acme" } }),
  },
  {
    method: IMPORT,
    title: "of a key of acme, named or not",
    body: () => imported({ scopes: ["orders:read"] }, { tenant: "acme" }),
    answered: { importedCount: 2 },
  },
  {
    method: LIST,
    title: "of acme, whether or not it is named",
    body: () => ({ filter: "tenant = acme", pageSize: 1 }),
    answered: { keys: [{ tenant: "acme" }] },
  },
  {
    method: LIST,
    title: "from where a caller who is bound to the same tenant has come to",
    body: async (world) => {
      await world.acmeKey();
      return { ...(await nextPage(world, "attacker", "")), pageSize: 1 };
    },
    answered: { keys: [{ tenant: "acme" }] },
  },
];

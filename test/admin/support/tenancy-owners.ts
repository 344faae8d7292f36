import { type Allowed, type Attack, beyondGrantable, FOREIGN_PAGE, OTHER_TENANT, staleEtag } from "./tenancy-rows.ts";
import { FOREIGN_OWNER, NOBODY, type World } from "./tenancy-world.ts";

const CREATE = "OwnerService/CreateOwner";
const GET = "OwnerService/GetOwner";
const LIST = "OwnerService/ListOwners";
const UPDATE = "OwnerService/UpdateOwner";
const DELETE = "OwnerService/DeleteOwner";

const OWNER_NOT_FOUND = {
  code: "not_found",
  reason: "OWNER_NOT_FOUND",
  message: `the owner ${FOREIGN_OWNER} of the tenant acme is not registered`,
} as const;

/** What is asked of an owner that somebody names. */
const OF_AN_OWNER: Readonly<Record<string, object>> = {
  [CREATE]: {},
  [GET]: {},
  [UPDATE]: { updateMask: "displayName", displayName: "mine" },
  [DELETE]: {},
};

/** Every method that names an owner. */
const NAMED: Attack[] = Object.entries(OF_AN_OWNER).map(([method, more]) => ({
  method,
  title: "of an owner of another tenant",
  body: () => ({ owner: FOREIGN_OWNER, tenant: "globex", ...more }),
  twin: () => ({ owner: FOREIGN_OWNER, tenant: "nobody", ...more }),
  refused: OTHER_TENANT,
}));

/** Another tenant has an owner of the name, and so have those without tenant. */
const NAMESAKES: Attack[] = [GET, UPDATE, DELETE].map((method) => ({
  method,
  title: "of an owner that is registered elsewhere only",
  body: () => ({ owner: FOREIGN_OWNER, ...OF_AN_OWNER[method] }),
  twin: () => ({ owner: NOBODY, ...OF_AN_OWNER[method] }),
  refused: OWNER_NOT_FOUND,
}));

/** What the etag of another tenant's owner is good for. */
const STALE: Attack[] = [UPDATE, DELETE].map((method) => ({
  method,
  title: "of an owner of acme, with the etag of one of another tenant",
  body: ({ ownOwner, foreignEtag }) => ({ owner: ownOwner.owner, etag: foreignEtag, ...OF_AN_OWNER[method] }),
  twin: ({ ownOwner }) => ({ owner: ownOwner.owner, etag: "987654321", ...OF_AN_OWNER[method] }),
  refused: ({ ownOwner }) => staleEtag("owner", ownOwner.etag),
}));

const RICH = ["orders:read", "shipping:*"];

/** An owner as it stands once everything has been done to it, in this order. */
async function ownerAfter(world: World, first: object, keys: readonly object[], ...changes: object[]): Promise<string> {
  const owner = await world.acmeOwner(first);
  for (const key of keys) await world.acmeKey({ owner, ...key });
  for (const change of changes) await world.make(UPDATE, { owner, tenant: "acme", ...change });
  return owner;
}

const DISABLING = { updateMask: "disabled", disabled: true };
const ENABLING = { updateMask: "disabled", disabled: false };

const GRANTING: Attack[] = [
  {
    method: CREATE,
    title: "with a list beside what is grantable",
    body: () => ({ owner: "user/new", scopes: RICH }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "to a list beside what is grantable",
    body: async (world) => ({ owner: await world.acmeOwner(), updateMask: "scopes", scopes: ["*"] }),
    refused: beyondGrantable("*"),
  },
  {
    method: UPDATE,
    title: "of the display name, where the list is richer by now than what is grantable",
    body: async (world) => ({ owner: await world.acmeOwner({ scopes: RICH }), updateMask: "displayName" }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "to no list, where it holds back a key that has more than is grantable",
    body: async (world) => ({
      owner: await ownerAfter(world, { scopes: ["orders:read"] }, [{ scopes: RICH }, {}]),
      updateMask: "limitScopes",
    }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "of one that is disabled, whose keys have more than is grantable",
    body: async (world) => ({ owner: await ownerAfter(world, {}, [{ scopes: RICH }], DISABLING), ...ENABLING }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "of one that is disabled, whose list is richer than what is grantable",
    body: async (world) => ({ owner: await ownerAfter(world, { scopes: RICH }, [], DISABLING), ...ENABLING }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "to a list beside what is grantable, for one that is disabled",
    body: async (world) => ({
      owner: await ownerAfter(world, {}, [], DISABLING),
      updateMask: "scopes",
      scopes: ["orders:write"],
    }),
    refused: beyondGrantable("orders:write"),
  },
  {
    method: UPDATE,
    title: "to no list, for one that is disabled and whose keys have more than is grantable",
    body: async (world) => ({
      owner: await ownerAfter(world, { limitScopes: true }, [{ scopes: RICH }], DISABLING),
      updateMask: "limitScopes",
    }),
    refused: beyondGrantable("shipping:*"),
  },
  {
    method: UPDATE,
    title: "to disabled, and to a list beside what is grantable in the same call",
    body: async (world) => ({
      owner: await world.acmeOwner(),
      updateMask: "disabled,scopes",
      disabled: true,
      scopes: ["orders:write"],
    }),
    refused: beyondGrantable("orders:write"),
  },
];

const nextPage = async (world: World, caller: keyof World["callers"], tenant: string) => {
  for (const owner of ["user/p1", "user/p2"]) {
    await world.ask(CREATE, { owner, tenant }, world.callers.free);
  }
  const page = await world.ask(LIST, { pageSize: 1, tenant }, world.callers[caller]);
  return { tenant, pageToken: (JSON.parse(page.body) as { nextPageToken: string }).nextPageToken };
};

const MADE_UP_TOKEN = "bWFkZSB1cCwgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZQ";

const LISTING: Attack[] = [
  {
    method: LIST,
    title: "of another tenant",
    body: () => ({ tenant: "globex" }),
    twin: () => ({ tenant: "nobody" }),
    refused: OTHER_TENANT,
  },
  {
    method: LIST,
    title: "from where a caller who is bound to another tenant has come to",
    body: async (world) => ({ pageToken: (await nextPage(world, "globex", "globex")).pageToken }),
    twin: () => ({ pageToken: MADE_UP_TOKEN }),
    refused: FOREIGN_PAGE,
  },
  {
    method: LIST,
    title: "from where a caller who sees all has come to in this tenant",
    body: async (world) => nextPage(world, "free", "acme"),
    twin: () => ({ tenant: "acme", pageToken: MADE_UP_TOKEN }),
    refused: FOREIGN_PAGE,
  },
];

/** What an admin of acme tries with owners. */
export const OWNER_ATTACKS: readonly Attack[] = [...NAMED, ...NAMESAKES, ...STALE, ...GRANTING, ...LISTING];

/** What an admin of acme may do with owners. */
export const OWNERS_ALLOWED: readonly Allowed[] = [
  {
    method: CREATE,
    title: "without a tenant, which makes it one of acme",
    body: () => ({ owner: "service/first", scopes: ["orders:read", "billing:read"] }),
    answered: { owner: { tenant: "acme", scopes: ["orders:read", "billing:read"] } },
  },
  {
    method: CREATE,
    title: "in acme, of a name that is registered elsewhere",
    body: () => ({ owner: "service/second", tenant: "acme" }),
    answered: { owner: { tenant: "acme" } },
  },
  {
    method: GET,
    title: "of an owner of acme",
    body: async (world) => ({ owner: await world.acmeOwner({ scopes: RICH }) }),
    answered: { owner: { tenant: "acme", scopes: RICH } },
  },
  {
    method: UPDATE,
    title: "to a list that is grantable, from one that is richer",
    body: async (world) => ({
      owner: await world.acmeOwner({ scopes: RICH }),
      updateMask: "scopes",
      scopes: ["billing:*"],
    }),
    answered: { owner: { tenant: "acme", scopes: ["billing:*"] } },
  },
  {
    method: UPDATE,
    title: "to disabled, whatever its list and its keys",
    body: async (world) => ({ owner: await ownerAfter(world, { scopes: RICH }, [{ scopes: ["*"] }]), ...DISABLING }),
    answered: { owner: { tenant: "acme", disabled: true, scopes: RICH } },
  },
  {
    method: UPDATE,
    title: "to no list, where no key has more than is grantable",
    body: async (world) => ({ owner: await ownerAfter(world, { limitScopes: true }, [{}]), updateMask: "limitScopes" }),
    answered: { owner: { tenant: "acme", keyCount: "1" } },
  },
  {
    method: UPDATE,
    title: "of one that is disabled, whose list and keys are within what is grantable",
    body: async (world) => ({
      owner: await ownerAfter(world, { scopes: ["billing:*"] }, [{}], DISABLING),
      ...ENABLING,
    }),
    answered: { owner: { tenant: "acme", keyCount: "1" } },
  },
  {
    method: DELETE,
    title: "of an owner of acme, whatever its list and its keys",
    body: async (world) => ({ owner: await ownerAfter(world, { scopes: RICH }, [{ scopes: ["*"] }]) }),
    answered: { revokedKeys: "1" },
  },
  {
    method: LIST,
    title: "of acme, whether or not it is named",
    body: () => ({ tenant: "acme", pageSize: 1 }),
    answered: { owners: [{ tenant: "acme" }] },
  },
  {
    method: LIST,
    title: "from where a caller who is bound to the same tenant has come to",
    body: async (world) => ({ ...(await nextPage(world, "attacker", "acme")), pageSize: 1 }),
    answered: { owners: [{ tenant: "acme" }] },
  },
];

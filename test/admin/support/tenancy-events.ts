import { expect } from "vitest";
import { type Allowed, type Attack, FOREIGN_PAGE, OTHER_TENANT } from "./tenancy-rows.ts";
import type { World } from "./tenancy-world.ts";

const LIST = "AuditService/ListEvents";
const WATCH = "AuditService/WatchEvents";

const NARROWED: Attack[] = [LIST, WATCH].flatMap((method) => [
  {
    method,
    title: "of another tenant",
    body: () => ({ filter: "tenant = globex" }),
    twin: () => ({ filter: "tenant = nobody" }),
    refused: OTHER_TENANT,
  },
  {
    method,
    title: "of a tenant whose name goes on",
    body: () => ({ filter: 'tenant = "acme-2" AND action = "keys.*"' }),
    refused: OTHER_TENANT,
  },
]);

const pageBehind = async ({ ask, callers }: World, caller: keyof World["callers"], filter: string) => {
  const { body } = await ask(LIST, { pageSize: 1, filter }, callers[caller]);
  return { filter, pageToken: (JSON.parse(body) as { nextPageToken: string }).nextPageToken };
};

/** What an admin of acme tries with the audit trail. */
export const EVENT_ATTACKS: readonly Attack[] = [
  ...NARROWED,
  {
    method: LIST,
    title: "with a page token of one who sees all",
    body: (world) => pageBehind(world, "free", ""),
    refused: FOREIGN_PAGE,
  },
  {
    method: LIST,
    title: "with a page token of one who sees all, narrowed to acme",
    body: (world) => pageBehind(world, "free", "tenant = acme"),
    refused: FOREIGN_PAGE,
  },
  {
    method: LIST,
    title: "with a page token of another tenant",
    body: (world) => pageBehind(world, "globex", ""),
    refused: FOREIGN_PAGE,
  },
];

const OWN = { tenant: "acme" };

/** What an admin of acme may do with it. */
export const EVENTS_ALLOWED: readonly Allowed[] = [
  {
    method: LIST,
    title: "of acme",
    body: () => ({ orderBy: "seq" }),
    answered: { events: expect.arrayContaining([expect.objectContaining(OWN)]) },
  },
  {
    method: LIST,
    title: "of a key of acme",
    body: ({ ownKey }) => ({ filter: `target = ${ownKey.id} AND tenant = acme` }),
    answered: ({ ownKey }) => ({ events: [{ ...OWN, action: "keys.create", target: ownKey.id }] }),
  },
  {
    method: LIST,
    title: "of a key of another tenant, of which there are none",
    body: ({ keys }) => ({ filter: `target = ${keys.globex.id}` }),
    answered: {},
  },
  {
    method: WATCH,
    title: "from the first of acme on",
    body: () => ({ afterSeq: 0 }),
    answered: { event: OWN },
  },
];

import { readdirSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { local, sampleKey } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { refusedOfJson } from "./support/refused.ts";
import { serveOnce } from "./support/served.ts";
import { ADMIN_ATTACKS, ADMINS_ALLOWED } from "./support/tenancy-admins.ts";
import { EVENT_ATTACKS, EVENTS_ALLOWED } from "./support/tenancy-events.ts";
import { KEY_ATTACKS, KEYS_ALLOWED } from "./support/tenancy-keys.ts";
import { OWNER_ATTACKS, OWNERS_ALLOWED } from "./support/tenancy-owners.ts";
import { type Allowed, type Attack, KEY_NOT_FOUND } from "./support/tenancy-rows.ts";
import {
  createWorld,
  ENCRYPTION_KEY,
  everyRow,
  FOREIGN_OWNER,
  foreignRows,
  NOBODY,
  TENANCY_CONFIG,
  type World,
} from "./support/tenancy-world.ts";

const served = serveOnce({ config: TENANCY_CONFIG, env: { KEYWARD_ENCRYPTION_KEY: ENCRYPTION_KEY } });

let world: World;
beforeAll(async () => {
  world = await createWorld(served());
});

const ATTACKS: readonly Attack[] = [...KEY_ATTACKS, ...OWNER_ATTACKS, ...ADMIN_ATTACKS, ...EVENT_ATTACKS];
const ALLOWED: readonly Allowed[] = [...KEYS_ALLOWED, ...OWNERS_ALLOWED, ...ADMINS_ALLOWED, ...EVENTS_ALLOWED];

/** Lists what a caller sees, and cannot be asked for more in words that would have to be refused. */
const SHOWN = [
  "KeyService/ListKeys",
  "OwnerService/ListOwners",
  "AdminKeyService/ListAdminKeys",
  "AuditService/ListEvents",
] as const;

/** Judges a key that is presented, and answers for one of others as for one that nobody has. */
const JUDGING = ["KeyService/VerifyKey"] as const;

/** Finds what checks have denied, which `test/serve/decisions.test.ts` makes some of. */
const OF_CHECKS = ["KeyService/GetDecision"] as const;

/** What is called of each service that is generated from our protos. */
async function everyMethod(): Promise<string[]> {
  const folder = new URL("../../src/gen/keyward/admin/v1/", import.meta.url);
  const files = await Promise.all(readdirSync(folder).map((file) => import(new URL(file, folder).href)));
  return files
    .flatMap((module: Record<string, DescService | { kind?: string }>) => Object.values(module))
    .filter((exported): exported is DescService => exported.kind === "service")
    .flatMap((service) => service.methods.map(({ name }) => `${service.name}/${name}`))
    .sort();
}

describe("each method of each service", () => {
  test("has a row in which an admin key of a tenant attacks", async () => {
    const attacked = new Set([...ATTACKS.map(({ method }) => method), ...SHOWN, ...JUDGING, ...OF_CHECKS]);
    expect([...attacked].sort()).toEqual(await everyMethod());
  });

  test("has a row beside it of what is allowed", async () => {
    const allowed = new Set([...ALLOWED.map(({ method }) => method), ...OF_CHECKS]);
    expect([...allowed].sort()).toEqual(await everyMethod());
  });
});

describe("an admin key of a tenant is refused, and nothing is changed:", () => {
  test.each(ATTACKS.map((row): [string, Attack] => [`${row.method} ${row.title}`, row]))("%s", async (_, row) => {
    const body = await row.body(world);
    const caller = world.callers[row.by ?? "attacker"];
    const before = everyRow(world.keyward);
    const { status, body: answer } = await world.ask(row.method, body, caller);
    expect(everyRow(world.keyward)).toEqual(before);
    const { code, reason, message } = refusedOfJson(answer);
    const refused = typeof row.refused === "function" ? row.refused(world) : row.refused;
    expect({ status: status >= 400, code, reason, message }).toEqual({ status: true, ...refused });
  });
});

describe("what others have is answered as what nobody has, to the byte:", () => {
  const twins = ATTACKS.flatMap(({ twin, ...row }) => (twin === undefined ? [] : [{ ...row, twin }]));
  test.each(twins.map((row): [string, (typeof twins)[number]] => [`${row.method} ${row.title}`, row]))(
    "%s",
    async (_, { method, by = "attacker", body, twin }) => {
      const one = await world.ask(method, await body(world), world.callers[by]);
      const other = await world.ask(method, await twin(world), world.callers[by]);
      expect({ ...one, body: one.body.replaceAll(FOREIGN_OWNER, NOBODY) }).toEqual(other);
    },
  );
});

describe("an admin key of a tenant may, and changes nothing elsewhere:", () => {
  test.each(ALLOWED.map((row): [string, Allowed] => [`${row.method} ${row.title}`, row]))("%s", async (_, row) => {
    const body = await row.body(world);
    const before = foreignRows(world.keyward);
    const { status, body: answer } = await world.ask(row.method, body, world.callers[row.by ?? "attacker"]);
    const answered = typeof row.answered === "function" ? row.answered(world) : row.answered;
    expect({ status, answer: JSON.parse(answer) }).toMatchObject({ status: 200, answer: answered });
    expect(foreignRows(world.keyward)).toEqual(before);
  });
});

describe("a key of others that is presented is judged as one that nobody has, to the byte:", () => {
  const question = { method: "GET", path: "/", at: "2026-01-01T00:00:00Z" };
  test.each<[string, string, (world: World) => string, object]>([
    ["KeyService/VerifyKey", "of another tenant", ({ keys }) => keys.globex.secret, {}],
    ["KeyService/VerifyKey", "of none", ({ keys }) => keys.none.secret, {}],
    ["KeyService/VerifyKey", "of another tenant, signed", ({ signedKey }) => signedKey.secret, {}],
    ["KeyService/ExplainCheck", "of another tenant", ({ keys }) => keys.globex.secret, question],
    ["KeyService/ExplainCheck", "of none", ({ keys }) => keys.none.secret, question],
    ["KeyService/ExplainCheck", "of another tenant, signed", ({ signedKey }) => signedKey.secret, question],
  ])("%s %s", async (method, _, secretOf, more) => {
    const { attacker, free } = world.callers;
    const before = everyRow(world.keyward);
    const one = await world.ask(method, { key: secretOf(world), ...more }, attacker);
    const other = await world.ask(method, { key: world.keys.nobody.secret, ...more }, attacker);
    expect(one).toEqual(other);
    expect(JSON.parse(one.body)).toMatchObject({ reason: "unknown_key", httpStatus: 401 });
    expect(JSON.parse(one.body)).not.toHaveProperty("key");
    const seen = await world.ask(method, { key: secretOf(world), ...more }, free);
    expect(JSON.parse(seen.body)).toMatchObject({ reason: "allowed", key: {} });
    expect(everyRow(world.keyward)).toEqual(before);
  });
});

/** A list as a caller sees it, page by page where it has pages. */
async function listed(method: string, body: object, caller: string): Promise<{ id?: string; tenant?: string }[]> {
  const { body: answer } = await world.ask(method, body, caller);
  // Of events the trail as well, which is no list.
  const { nextPageToken, trail: _, ...lists } = JSON.parse(answer) as { nextPageToken?: string; trail?: object };
  const items = Object.values(lists).flat() as { id?: string; tenant?: string }[];
  return nextPageToken === undefined
    ? items
    : [...items, ...(await listed(method, { ...body, pageToken: nextPageToken }, caller))];
}

describe("a list shows an admin key of a tenant what is of that tenant, and nothing else:", () => {
  test.each<[string, object]>([
    ["KeyService/ListKeys", {}],
    ["KeyService/ListKeys", { pageSize: 1 }],
    ["KeyService/ListKeys", { filter: 'tenant = ""' }],
    ["KeyService/ListKeys", { filter: "tenant = acme" }],
    ["KeyService/ListKeys", { filter: "state = ACTIVE" }],
    ["OwnerService/ListOwners", {}],
    ["OwnerService/ListOwners", { pageSize: 1 }],
    ["OwnerService/ListOwners", { tenant: "acme" }],
    ["AdminKeyService/ListAdminKeys", {}],
    ["AuditService/ListEvents", {}],
    ["AuditService/ListEvents", { pageSize: 1 }],
    ["AuditService/ListEvents", { filter: "actor = local" }],
    ["AuditService/ListEvents", { filter: 'tenant = ""' }],
  ])("%s %j", async (method, body) => {
    const seen = await listed(method, body, world.callers.attacker);
    expect(new Set(seen.map(({ tenant }) => tenant))).toEqual(new Set(["acme"]));
  });

  test.each(SHOWN)("%s shows one who is bound to none every tenant, and what has none", async (method) => {
    const seen = await listed(method, {}, world.callers.free);
    expect(new Set(seen.map(({ tenant }) => tenant))).toEqual(new Set(["acme", "globex", undefined]));
  });

  test("an owner's name that others share narrows it to none of theirs", async () => {
    const filter = `owner = ${FOREIGN_OWNER}`;
    expect(await listed("KeyService/ListKeys", { filter }, world.callers.attacker)).toEqual([]);
    expect(await listed("KeyService/ListKeys", { filter }, world.callers.globex)).toMatchObject([
      { id: world.keys.globex.id, tenant: "globex" },
    ]);
  });
});

describe("a start that keys of several tenants share", () => {
  /** The API draws secrets, so it would take years to make two of one start. */
  function collide(start: string, tenants: readonly (string | undefined)[]): string[] {
    const ids = tenants.map((tenant, index) => `key_${start}_${tenant ?? ""}${index}`);
    withStore(world.keyward, (store) => {
      for (const [index, id] of ids.entries()) {
        store.createKey(sampleKey(id, { id, start: `kw_${start}`, tenant: tenants[index] }), local, 1);
      }
    });
    return ids;
  }

  const get = (key: string) => world.ask("KeyService/GetKey", { key }, world.callers.attacker);

  test.each(["kw_Aaaaaaaa", "Aaaaaaaa"])("names the one of the caller's: %s", async (name) => {
    const start = `${name.slice(-8, -1)}${name.length}`.slice(-8);
    const [own] = collide(start, ["acme", "globex", undefined]);
    const { body } = await get(name.replace("Aaaaaaaa", start));
    expect(JSON.parse(body)).toMatchObject({ key: { id: own, tenant: "acme" } });
  });

  test("lists only the caller's where there are two of them", async () => {
    const [one = "", two = ""] = collide("Bbbbbbbb", ["acme", "acme", "globex", undefined]);
    const { code, reason, metadata } = refusedOfJson((await get("Bbbbbbbb")).body);
    expect({ code, reason, metadata }).toEqual({
      code: "failed_precondition",
      reason: "KEY_NAME_AMBIGUOUS",
      metadata: { [one]: "kw_Bbbbbbbb", [two]: "kw_Bbbbbbbb" },
    });
  });

  test("is that of nobody where none of them is the caller's", async () => {
    collide("Cccccccc", ["globex", "globex", undefined]);
    const answer = await get("kw_Cccccccc");
    expect(refusedOfJson(answer.body)).toMatchObject(KEY_NOT_FOUND);
    expect(answer).toEqual(await get(world.keys.nobody.start));
  });
});

describe("what an admin key of a tenant makes", () => {
  test("is another that sees no more, whatever its scopes", async () => {
    const made = await world.ask("AdminKeyService/CreateAdminKey", { name: "x" }, world.callers.attacker);
    const { secret } = JSON.parse(made.body) as { secret: string };
    const { body } = await world.ask("KeyService/GetKey", { key: world.keys.globex.id }, secret);
    expect(refusedOfJson(body)).toMatchObject(KEY_NOT_FOUND);
    const own = await world.ask("KeyService/GetKey", { key: world.ownKey.id }, secret);
    expect(own.status).toBe(200);
  });
});

test("an admin key of a tenant of which nothing is configured grants nothing", async () => {
  const { secret } = await world.make("AdminKeyService/CreateAdminKey", { name: "x", tenant: "constructor" });
  const create = (body: object) => world.ask("KeyService/CreateKey", { name: "x", ...body }, String(secret));
  expect(refusedOfJson((await create({ scopes: ["orders:read"] })).body)).toMatchObject({
    code: "permission_denied",
    reason: "BEYOND_GRANTABLE",
    message: "you cannot grant orders:read: grantable in the tenant constructor is nothing",
  });
  const { key } = JSON.parse((await create({})).body) as { key: object };
  expect(key).toMatchObject({ tenant: "constructor", start: expect.stringMatching(/^kw_/) });
});

import { describe, expect, test } from "vitest";
import type { EventFilter, EventPage } from "../../src/store/audit-trail.ts";
import { digestOf, local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";
import { HOUR_MS, tamper, verified, writeEvents } from "./support/trail.ts";

const alice = { name: "akey_alice", source: "192.0.2.1" };
const program = { name: "retention", source: "local" };
const PLAIN = { displayName: "", scopes: undefined, disabled: false };

/** Events of two tenants and of none, of two actors. */
function variedStore() {
  const { store, path } = newStore();
  store.createKey(sampleKey("a", { tenant: "acme" }), alice, 10);
  store.createKey(sampleKey("b", { tenant: "globex" }), alice, 20);
  store.createKey(sampleKey("c"), local, 30);
  store.setKeyDisabled("key_a", true, local, 40);
  store.revokeKey("key_b", "", alice, 50);
  store.createOwner({ tenant: "acme", name: "user/a", ...PLAIN }, local, 60);
  store.createOwner({ tenant: undefined, name: "user/a", ...PLAIN }, local, 70);
  return { store, path };
}

const seqs = ({ events }: EventPage) => events.map(({ seq }) => seq);

describe("a list of events", () => {
  test.each<[filter: EventFilter, seqs: number[]]>([
    [{}, [1, 2, 3, 4, 5, 6, 7]],
    [{ action: "keys.create" }, [1, 2, 3]],
    [{ action: "keys.creat" }, []],
    [{ action: "keys.*" }, [1, 2, 3, 4, 5]],
    [{ action: "key.*" }, []],
    [{ actor: "akey_alice" }, [1, 2, 5]],
    [{ actor: "akey_alic" }, []],
    [{ target: "key_a" }, [1, 4]],
    [{ target: "acme user/a" }, [6]],
    [{ target: "user/a" }, [7]],
    [{ tenant: "acme" }, [1, 4, 6]],
    [{ tenant: "acm" }, []],
    [{ tenant: "" }, []],
    [{ sinceMs: 30 }, [3, 4, 5, 6, 7]],
    [{ sinceMs: 31 }, [4, 5, 6, 7]],
    [{ untilMs: 30 }, [1, 2]],
    [{ untilMs: 31 }, [1, 2, 3]],
    [{ tenant: "acme", actor: "local", sinceMs: 50, action: "owners.create" }, [6]],
    [{ tenant: "acme", target: "key_b" }, []],
  ])("narrowed by %j has the events %j, in either order", (filter, expected) => {
    const { store } = variedStore();
    expect(seqs(store.listEvents({ ...filter, order: "oldest first", limit: 100 }))).toEqual(expected);
    expect(seqs(store.listEvents({ ...filter, order: "newest first", limit: 100 }))).toEqual(expected.toReversed());
  });

  test("tells of an event all that was written", () => {
    const { store } = variedStore();
    const { events, ...ends } = store.listEvents({ order: "newest first", target: "key_b", limit: 1 });
    expect(events).toEqual([
      {
        ...{ seq: 5, revision: 5, atMs: 50, actor: "akey_alice", source: "192.0.2.1", action: "keys.revoke" },
        ...{ target: "key_b", detail: '{"tenant":"globex","reason":""}', tenant: "globex" },
        ...{ previousHash: expect.stringMatching(/^[0-9a-f]{64}$/), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ]);
    expect(ends).toMatchObject({ start: { seq: 0 }, head: { seq: 7 }, revision: 7, through: 5, hasMore: true });
  });

  test.each<[EventFilter, pages: number[][]]>([
    [{}, [[1, 2, 3], [4, 5, 6], [7]]],
    [{ tenant: "acme" }, [[1, 4, 6]]],
    [{ actor: "local" }, [[3, 4, 6], [7]]],
  ])("narrowed by %j comes in pages without a gap", (filter, pages) => {
    const { store } = variedStore();
    const found: number[][] = [];
    let page: EventPage | undefined;
    do {
      page = store.listEvents({ ...filter, order: "oldest first", after: page?.through, limit: 3 });
      found.push(seqs(page));
    } while (page.hasMore);
    expect(found).toEqual(pages);
  });

  test("that finds little ends a page before it has read all, and goes on behind it", () => {
    const { store, path } = newStore();
    writeEvents(store, 1);
    tamper(
      path,
      `WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 10005)
       INSERT INTO audit SELECT n.seq, 1, 0, 'x', 'x', 'x', 'x', '{}', hash, hash FROM n, (SELECT hash FROM audit LIMIT 1)`,
    );
    const first = store.listEvents({ actor: "local", order: "newest first", limit: 1 });
    expect([seqs(first), first.hasMore, first.through]).toEqual([[], true, 6]);
    const second = store.listEvents({ actor: "local", order: "newest first", after: first.through, limit: 1 });
    expect([seqs(second), second.hasMore]).toEqual([[1], false]);
  });

  test("is short where its events are long", () => {
    const { store } = newStore();
    const reason = "x".repeat(1_000_000);
    for (const name of ["a", "b", "c", "d"]) {
      store.createKey(sampleKey(name), local, 1);
      store.revokeKey(`key_${name}`, reason, local, 1);
    }
    const page = store.listEvents({ action: "keys.revoke", order: "oldest first", limit: 100 });
    expect([seqs(page), page.hasMore]).toEqual([[2, 4, 6], true]);
  });
});

describe("whose an event is", () => {
  test("of every action on something of a tenant, stands in its detail", () => {
    const { store } = newStore();
    const key = sampleKey("k", { tenant: "acme" });
    store.createKey(key, local, 1);
    store.updateKey("key_k", { ...key, name: "l" }, local, 2);
    store.setKeyDisabled("key_k", true, local, 3);
    store.setKeyDisabled("key_k", false, local, 4);
    store.rotateKey("key_k", sampleKey("l", { tenant: "acme" }), 50, local, 5, 4);
    store.revokeKey("key_l", "", local, 6);
    const owner = { tenant: "acme", name: "user/a" };
    store.createOwner({ ...owner, ...PLAIN }, local, 7);
    store.updateOwner(owner, { ...PLAIN, disabled: true }, local, 8, 7);
    store.deleteOwner(owner, local, 9, 8);
    const admin = { id: "akey_1", digest: digestOf("a"), start: "kwadm_12345678", name: "a", scopes: [] };
    store.createAdminKey({ ...admin, tenant: "acme" }, local, 10);
    store.revokeAdminKey("akey_1", local, 11);
    store.purgeEndedKeys(1_000, 100, program, 1_000);
    const { events } = store.listEvents({ order: "oldest first", limit: 100 });
    expect(events).toHaveLength(13);
    expect(events.map(({ detail }) => JSON.parse(detail).tenant)).toEqual(events.map(() => "acme"));
    expect(events.map(({ tenant }) => tenant)).toEqual(events.map(() => "acme"));
  });

  test.each<[title: string, action: string, target: string, detail: string, tenant: string | undefined]>([
    ["an owner's name with its tenant", "owners.update", "acme user/a", "{}", "acme"],
    ["an owner's name without one", "owners.update", "user/a", "{}", undefined],
    ["nothing where a key was changed", "keys.update", "key_a", "{}", undefined],
    ["the detail of a new key", "keys.create", "key_a", '{"tenant":"acme"}', "acme"],
    ["a detail without tenant", "keys.create", "key_a", '{"tenant":null}', undefined],
    ["a tenant further down", "keys.update", "key_a", '{"after":{"tenant":"acme"}}', undefined],
    ["a tenant that is no text", "keys.update", "key_a", '{"tenant":["acme"]}', undefined],
    ["what is no JSON", "keys.update", "key_a", '{"tenant":"acme"', undefined],
  ])("is told of older events by %s", (_, action, target, detail, tenant) => {
    const { store, path } = newStore();
    writeEvents(store, 1);
    tamper(path, `UPDATE audit SET action = '${action}', target = '${target}', detail = '${detail}'`);
    expect(store.listEvents({ order: "oldest first", limit: 1 }).events[0]?.tenant).toBe(tenant);
    const seen = store.listEvents({ order: "oldest first", limit: 1, tenant: "acme" }).events;
    expect(seen.length).toBe(tenant === "acme" ? 1 : 0);
  });
});

describe("a purge of the trail", () => {
  const purge = (store: ReturnType<typeof newStore>["store"], hours: number, limit = 100) =>
    store.purgeAudit(hours * HOUR_MS, limit, program, 100 * HOUR_MS);

  test("removes what is from before a time, and nothing of that very time", () => {
    const { store } = newStore();
    writeEvents(store, 5);
    expect(purge(store, 3)).toEqual({ removed: 2 });
    const page = store.listEvents({ order: "oldest first", limit: 100 });
    expect([seqs(page), page.start.seq]).toEqual([[3, 4, 5, 6], 2]);
    expect(verified(store)).toBe(undefined);
  });

  test("goes on in steps, each no longer than it is told, and tells of each", () => {
    const { store } = newStore();
    writeEvents(store, 7);
    const steps = [purge(store, 6, 2), purge(store, 6, 2), purge(store, 6, 2), purge(store, 6, 2)];
    expect(steps).toEqual([{ removed: 2 }, { removed: 2 }, { removed: 1 }, { removed: 0 }]);
    const { events } = store.listEvents({ order: "oldest first", limit: 100 });
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    const told = events
      .slice(2)
      .map(({ action, target, actor, detail }) => [action, target, actor, JSON.parse(detail)]);
    expect(told).toEqual(
      [2, 4, 5].map((through, step) => {
        return ["audit.purge", "audit", "retention", { through, hash, events: step === 2 ? 1 : 2 }];
      }),
    );
    expect(verified(store)).toBe(undefined);
  });

  test("takes no revision: nobody has to follow it", () => {
    const { store } = newStore();
    writeEvents(store, 3);
    purge(store, 3);
    const [last] = store.listEvents({ order: "newest first", limit: 1 }).events;
    expect([store.revision(), last?.action, last?.revision]).toEqual([3, "audit.purge", 3]);
  });

  test("stops at an event that is younger, though older ones follow it", () => {
    const { store } = newStore();
    store.createKey(sampleKey("a"), local, 5 * HOUR_MS);
    store.createKey(sampleKey("b"), local, 50 * HOUR_MS);
    store.createKey(sampleKey("c"), local, 6 * HOUR_MS);
    expect([purge(store, 10), purge(store, 10)]).toEqual([{ removed: 1 }, { removed: 0 }]);
    expect(verified(store)).toBe(undefined);
  });

  test("does not go on for ever about itself", () => {
    const { store } = newStore();
    writeEvents(store, 2);
    expect(purge(store, 50)).toEqual({ removed: 2 });
    expect(purge(store, 1_000)).toEqual({ removed: 0 });
    writeEvents(store, 1);
    expect(store.purgeAudit(1_000 * HOUR_MS, 100, program, 2_000 * HOUR_MS)).toEqual({ removed: 2 });
  });

  test("of events that were tampered with removes nothing, and names the row", () => {
    const { store, path } = newStore();
    writeEvents(store, 5);
    tamper(path, "UPDATE audit SET actor = 'nobody' WHERE seq = 2");
    expect(purge(store, 4)).toEqual({ removed: 0, broken: { seq: 2, problem: "it is not as it was written" } });
    expect(seqs(store.listEvents({ order: "oldest first", limit: 100 }))).toEqual([1, 2, 3, 4, 5]);
  });
});

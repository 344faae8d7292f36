import { expect, test } from "vitest";
import type { DenialSummary } from "../../src/store/denials.ts";
import { local, sampleKey } from "./support/keys.ts";
import { newStore } from "./support/stores.ts";
import { verified } from "./support/trail.ts";

const checks = { name: "checks", source: "local" };
const refused = { reason: "key_revoked", count: 7, fromMs: 10, toMs: 20, lastIp: "192.0.2.1" } as const;

test("summaries of denials are events of the key's tenant, and take no revision", () => {
  const { store } = newStore();
  store.createKey(sampleKey("a", { tenant: "acme" }), local, 1);
  store.createKey(sampleKey("b"), local, 2);
  const summaries: DenialSummary[] = [
    { keyId: "key_a", ...refused },
    { keyId: "key_b", ...refused, lastIp: undefined },
    { keyId: "key_gone", ...refused },
  ];
  store.recordDenials(summaries, 0, checks, 30);
  const { events } = store.listEvents({ action: "keys.denied", order: "oldest first", limit: 10 });
  const told = '"reason":"key_revoked","count":7,"fromMs":10,"toMs":20,"lastIp":';
  expect(
    events.map((event) => [event.revision, event.atMs, event.actor, event.target, event.tenant, event.detail]),
  ).toEqual([
    [2, 30, "checks", "key_a", "acme", `{"tenant":"acme",${told}"192.0.2.1"}`],
    [2, 30, "checks", "key_b", undefined, `{${told}null}`],
    [2, 30, "checks", "key_gone", undefined, `{${told}"192.0.2.1"}`],
  ]);
  expect([store.revision(), verified(store)]).toEqual([2, undefined]);
});

test("denials that no summary tells of are one event with their number", () => {
  const { store } = newStore();
  store.recordDenials([], 12, checks, 30);
  const { events } = store.listEvents({ order: "oldest first", limit: 10 });
  expect(events.map(({ target, detail }) => [target, detail])).toEqual([["others", '{"count":12}']]);
  store.recordDenials([], 0, checks, 40);
  expect(store.listEvents({ order: "oldest first", limit: 10 }).events).toHaveLength(1);
});

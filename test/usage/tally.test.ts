import { describe, expect, test } from "vitest";
import { createUsageTally, type Uncounted } from "../../src/usage/tally.ts";
import { recordOf, secretOf } from "../support/sample-keys.ts";

const key = (id: string) => recordOf({ id });
const ADDRESS = "203.0.113.9";

function tallyForTest(bounds?: Parameters<typeof createUsageTally>[1]) {
  const lost: Partial<Record<Uncounted, number>> = {};
  const tally = createUsageTally((what) => {
    lost[what] = (lost[what] ?? 0) + 1;
  }, bounds);
  return { tally, lost };
}

describe("the tally of a check thread", () => {
  test("has one entry a key, however often it is used", () => {
    const { tally } = tallyForTest();
    for (let atMs = 1; atMs <= 1_000; atMs++) tally.note(key("a"), "allowed", ADDRESS, undefined, atMs);
    tally.note(key("b"), "allowed", undefined, undefined, 7);
    expect(tally.size).toBe(2);
    const nothing = { userAgents: [], denials: new Map(), lastDeniedAtMs: 0, lastDeniedIp: undefined };
    expect(tally.take(10)).toEqual([
      {
        keyId: "a",
        uses: 1_000,
        lastUsedAtMs: 1_000,
        lastUsedIp: ADDRESS,
        networks: [{ value: "203.0.113.0/24", firstMs: 1, lastMs: 1_000 }],
        ...nothing,
      },
      { keyId: "b", uses: 1, lastUsedAtMs: 7, lastUsedIp: undefined, networks: [], ...nothing },
    ]);
  });

  test("begins anew after it was taken, and gives the keys first that have waited the longest", () => {
    const { tally } = tallyForTest();
    for (const id of ["a", "b", "c"]) tally.note(key(id), "allowed", ADDRESS, undefined, 1);
    expect(tally.take(2).map(({ keyId }) => keyId)).toEqual(["a", "b"]);
    tally.note(key("a"), "allowed", ADDRESS, undefined, 2);
    expect(tally.take(9).map(({ keyId, uses, networks }) => [keyId, uses, networks[0]?.firstMs])).toEqual([
      ["c", 1, 1],
      ["a", 1, 2],
    ]);
    expect([tally.size, tally.take(9)]).toEqual([0, []]);
  });

  test("counts denials by reason, and none of them as a use", () => {
    const { tally } = tallyForTest();
    tally.note(key("a"), "key_revoked", ADDRESS, undefined, 1);
    tally.note(key("a"), "key_revoked", "198.51.100.1", undefined, 2);
    tally.note(key("a"), "insufficient_scope", "no address", undefined, 3);
    expect(tally.take(1)).toMatchObject([
      {
        uses: 0,
        lastUsedAtMs: 0,
        networks: [],
        denials: new Map([
          ["key_revoked", 2],
          ["insufficient_scope", 1],
        ]),
        lastDeniedAtMs: 3,
        lastDeniedIp: undefined,
      },
    ]);
  });

  test("tells networks apart when clients take turns", () => {
    const { tally } = tallyForTest();
    const addresses = ["192.0.2.1", "2001:db8:1::1", "192.0.2.200", "192.0.3.1", "192.0.2.1"];
    for (const [index, address] of addresses.entries()) tally.note(key("a"), "allowed", address, undefined, index);
    expect(tally.take(1)[0]?.networks).toEqual([
      { value: "192.0.2.0/24", firstMs: 0, lastMs: 4 },
      { value: "2001:db8:1::/48", firstMs: 1, lastMs: 1 },
      { value: "192.0.3.0/24", firstMs: 3, lastMs: 3 },
    ]);
  });

  test("keeps what clients call themselves as plain text, short and without what may be a secret", () => {
    const { tally } = tallyForTest();
    const secret = secretOf("agent");
    for (const agent of ["curl/8.5.0", `tool ${secret}`, "a\u0000\u001b[31m\xe9", `x${" y".repeat(500)}`]) {
      tally.note(key("a"), "allowed", ADDRESS, agent, 1);
    }
    const agents = tally.take(1)[0]?.userAgents.map(({ value }) => value) ?? [];
    expect(agents.slice(0, 3)).toEqual(["curl/8.5.0", "tool …", "a??[31m?"]);
    expect(agents[3]).toHaveLength(200);
  });

  test("of a burst from 100,000 addresses it keeps 100 networks of the key, every use, and counts the rest", () => {
    const { tally, lost } = tallyForTest();
    for (let index = 0; index < 100_000; index++) {
      tally.note(key("a"), "allowed", `10.${(index >> 8) >> 8}.${(index >> 8) & 255}.${index & 255}`, undefined, index);
    }
    // 391 networks, each used 256 times (the last 160): those after the first hundred found no room.
    expect(lost).toEqual({ sighting: 100_000 - 100 * 256 });
    const [taken] = tally.take(1);
    expect([taken?.uses, taken?.networks.length, taken?.lastUsedIp]).toEqual([100_000, 100, "10.1.134.159"]);
  });

  test("what is beyond its bounds is lost, told as such, and added to nothing else", () => {
    const { tally, lost } = tallyForTest({ keys: 2, sightingsOfKey: 2, sightings: 3 });
    for (const id of ["a", "b", "c"]) tally.note(key(id), "allowed", "10.0.0.1", undefined, 1);
    tally.note(key("c"), "key_expired", "10.0.0.1", undefined, 1);
    tally.note(key("b"), "allowed", "10.0.1.1", undefined, 1);
    tally.note(key("a"), "allowed", "10.0.2.1", undefined, 1);
    expect(lost).toEqual({ use: 1, denial: 1, sighting: 1 });
    expect(tally.take(9).map(({ keyId, uses, networks }) => [keyId, uses, networks.length])).toEqual([
      ["a", 2, 1],
      ["b", 2, 2],
    ]);
    tally.note(key("c"), "allowed", "10.0.0.1", undefined, 2);
    expect(tally.take(9).map(({ keyId, uses, networks }) => [keyId, uses, networks.length])).toEqual([["c", 1, 1]]);
    expect(lost).toEqual({ use: 1, denial: 1, sighting: 1 });
  });
});

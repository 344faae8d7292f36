import { expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

const CONNECTIONS = 12;
const KEYS = 24;
const ROUNDS = 2;

test("answers never cross: each of many checks at once, on many connections, gets the answer to itself", async () => {
  const keyward = await keywardForThisTest();
  const keys = await Promise.all(Array.from({ length: KEYS }, () => createKey(keyward.adminSocket)));
  const clients = Array.from({ length: CONNECTIONS }, () => checkClientForThisTest(keyward.authz));
  let compared = 0;
  const ask = async (client: (typeof clients)[number], number: number) => {
    const { id, secret } = keys[number % KEYS] ?? { id: "", secret: "" };
    // Bodies of all lengths, so that some come in pieces between others; every third is of nobody's key.
    const isGood = number % 3 > 0;
    const filler = ["x-filler", "x".repeat((number * 997) % 40_000)] as const;
    const verdict = await client.present(isGood ? secret : `${secret}0`, { headers: [filler] });
    const expected = isGood ? ["allowed", id] : ["malformed_credential", undefined];
    expect([verdict.reason, verdict.metadata.key_id]).toEqual(expected);
    compared++;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const asked = clients.flatMap((client, at) =>
      Array.from({ length: 3 * KEYS }, (_, number) => ask(client, round * 31 + at * 7 + number)),
    );
    await Promise.all(asked);
  }
  expect(compared).toBe(ROUNDS * CONNECTIONS * 3 * KEYS);
});

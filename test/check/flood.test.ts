import { expect, test } from "vitest";
import { createCheck } from "../../src/check/check.ts";
import { toBase62 } from "../../src/key/base62.ts";
import { crc32 } from "../../src/key/crc32.ts";
import { isSecret } from "../../src/key/secret.ts";
import { createDenialLog } from "../../src/observe/denial-log.ts";
import { createInvalidKeys } from "../../src/observe/invalid-keys.ts";
import type { LogFields } from "../../src/observe/log.ts";
import { createKeyCache } from "../../src/store/cache.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore, openedReader } from "../store/support/stores.ts";
import { describeRequest } from "../support/check-request.ts";
import { portsOf } from "../support/sample-check.ts";
import { secretOf } from "../support/sample-keys.ts";

const FLOOD = 1_000_000;
const GOOD = 100;
/** So much smaller than the flood that a cache which strangers share with good keys would lose them over and over. */
const MAX_UNKNOWN = 1_000;

/** A well-formed key that nobody has made, another for each number. */
function strange(number: number): string {
  const unchecked = `kw_${"0".repeat(33)}${String(number).padStart(10, "0")}`;
  return unchecked + toBase62(BigInt(crc32(unchecked)), 6);
}

/** One request whose bytes are used again and again, each time with another secret of the same length. */
function requests(): (secret: string) => Uint8Array {
  const headers = [["authorization", `Bearer ${strange(0)}`]] as const;
  const bytes = Buffer.from(describeRequest({ headers, sourceAddress: "192.0.2.7" }));
  const place = bytes.indexOf(strange(0));
  return (secret) => {
    bytes.write(secret, place, "latin1");
    return bytes;
  };
}

test("a million unknown keys evict no good key, cost one look-up each, and are told in a few lines", {
  timeout: 180_000,
}, () => {
  const { store, path } = newStore();
  const good = Array.from({ length: GOOD }, (_, index) => secretOf(`good ${index}`));
  for (const [index, secret] of good.entries()) {
    store.createKey(sampleKey(secret, { id: `key_${index}` }), local, 1);
  }
  const reader = openedReader(path);
  let reads = 0;
  const counting = {
    ...reader,
    findAt(digest: string) {
      reads++;
      return reader.findAt(digest);
    },
  };
  const lines: { message: string; fields: LogFields }[] = [];
  const log = (_: string, message: string, fields: LogFields = {}) => lines.push({ message, fields });
  const tell = createDenialLog(log);
  const invalidKeys = createInvalidKeys(log);
  const outcomes = new Map<string, number>();
  const check = createCheck(
    portsOf({
      store: createKeyCache(counting, { maxKeys: 10 * GOOD, maxUnknown: MAX_UNKNOWN }),
      noteInvalidKey: invalidKeys.note,
      observe(decision, request, context, cause) {
        outcomes.set(decision.reason, (outcomes.get(decision.reason) ?? 0) + 1);
        tell(decision, request, context, cause);
      },
    }),
  );
  const request = requests();
  const present = (secret: string, nowMs: number) => check(request(secret), { nowMs, decisionId: "d" });

  expect(isSecret(strange(FLOOD))).toBe(true);
  for (const secret of good) present(secret, 0);
  expect(reads).toBe(GOOD);

  // A thousand strangers a millisecond are one second of the clock.
  for (let number = 1; number <= FLOOD; number++) {
    present(strange(number), Math.floor(number / 1_000));
    if (number % 1_000 === 0) present(good[(number / 1_000) % GOOD] ?? "", number / 1_000);
  }
  expect(outcomes).toEqual(
    new Map([
      ["allowed", GOOD + FLOOD / 1_000],
      ["unknown_key", FLOOD],
    ]),
  );
  // Not one of them was for a key that is there.
  expect(reads).toBe(GOOD + FLOOD);

  // Those that come again are known to be unknown, and what is malformed is never looked up.
  for (let number = FLOOD; number > FLOOD - MAX_UNKNOWN; number--) present(strange(number), 1_000);
  for (let number = 1; number <= MAX_UNKNOWN; number++) present(strange(number).replace("kw_", "kv_"), 1_000);
  for (const secret of good) present(secret, 1_000);
  expect(reads).toBe(GOOD + FLOOD);

  invalidKeys.tick(10_000);
  expect(lines.map(({ message }) => message)).toEqual([
    ...Array(3).fill("denied: unknown_key"),
    `${FLOOD + 2 * MAX_UNKNOWN} invalid keys were presented within 10 s`,
  ]);
  expect(lines.at(-1)?.fields).toMatchObject({
    unknown: FLOOD + MAX_UNKNOWN,
    malformed: MAX_UNKNOWN,
    networks: { "192.0.2.0/24": FLOOD + 2 * MAX_UNKNOWN },
    elsewhere: 0,
  });
});

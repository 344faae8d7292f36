import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JWK } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSealer } from "../../src/admin/signing/sealing.ts";
import { SIGNING_ALGS } from "../../src/key/signing-alg.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { createCheckClient } from "../support/check-client.ts";
import { withStore } from "../support/direct-store.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";

const ENCRYPTION_KEY = Buffer.from(SIGNING_ENV.KEYWARD_ENCRYPTION_KEY, "base64");

/** So many bytes in one piece are a leak. */
const TELLTALE_BYTES = 9;

let keyward: Keyward;
/** Private numbers, and the encryption key. */
const secrets: Buffer[] = [];
const tokens: string[] = [];
/** What is not secret, and stands in the database: the search would find it. */
let modulus = "";

/** A number in every encoding, each of them in the pieces that would give it away. */
function writings(bytes: Buffer): string[] {
  const whole = (["latin1", "hex", "base64", "base64url"] as const).map((encoding) => bytes.toString(encoding));
  const [raw = "", hex = "", base64 = "", base64Url = ""] = whole;
  const pieces = [raw, Buffer.from(bytes).reverse().toString("latin1"), hex, hex.toUpperCase(), base64, base64Url];
  const lengths = [TELLTALE_BYTES, TELLTALE_BYTES, 2 * TELLTALE_BYTES, 2 * TELLTALE_BYTES, 12, 12];
  const decimal = BigInt(`0x${hex}`).toString();
  return [
    ...pieces.map((text, index) => text.slice(0, lengths[index])),
    decimal.slice(0, 20),
    `[${bytes.join(",")}`.slice(0, 20),
  ];
}

function expectNoSecretIn(place: string, text: string): void {
  const leaks = secrets.flatMap(writings).filter((writing) => text.includes(writing));
  const leakedTokens = tokens.filter((token) => text.includes(token.slice(-40)));
  expect([place, leaks, leakedTokens]).toEqual([place, [], []]);
}

function collect(): void {
  withStore(keyward, (store) => {
    const sealer = createSealer(ENCRYPTION_KEY, store.identity.uuid);
    for (const { kid, publicJwk, sealedPrivateJwk } of store.signingKeysInUse()) {
      const { d, p, q, dp, dq, qi } = JSON.parse(sealer.open(kid, sealedPrivateJwk ?? Buffer.of()) ?? "{}") as JWK;
      const numbers = [d, p, q, dp, dq, qi].flatMap((number) => (number === undefined ? [] : [number]));
      expect(numbers.length).toBeGreaterThan(0);
      secrets.push(...numbers.map((number) => Buffer.from(number, "base64url")));
      modulus = publicJwk.n ?? modulus;
    }
  });
}

async function signWithEach(): Promise<void> {
  for (const alg of SIGNING_ALGS) {
    const { secret } = await createKey(keyward.adminSocket, { format: "KEY_FORMAT_JWT", alg });
    tokens.push(secret);
  }
}

beforeAll(async () => {
  keyward = await startKeyward({ env: SIGNING_ENV, flags: ["--log-level", "trace"] });
  secrets.push(ENCRYPTION_KEY);
  await signWithEach();
  collect();
  for (const alg of SIGNING_ALGS) await adminCall(keyward.adminSocket, "SystemService/RotateSigningKey", { alg });
  await signWithEach();
  collect();
  const client = createCheckClient(keyward.authz);
  for (const token of tokens) expect((await client.present(`${token.slice(0, -1)}-`)).reason).toBe("unknown_key");
  client.close();
});
afterAll(() => keyward.stop());

test("there is much to hide: six RSA numbers and two others, twice, and the encryption key", () => {
  expect(secrets).toHaveLength(2 * (6 + 1 + 1) + 1);
  expect(new Set(secrets.map((bytes) => bytes.toString("hex"))).size).toBe(secrets.length);
});

test("the database and its log hold no private number, no encryption key and no token", () => {
  const files = readdirSync(keyward.folder).filter((name) => /^keyward\.db(-wal|-shm)?$/.test(name));
  expect(files).toContain("keyward.db-wal");
  const text = files.map((name) => readFileSync(join(keyward.folder, name), "latin1")).join("");
  expect(text).toContain(modulus.slice(0, 60));
  expectNoSecretIn("the database", text);
});

test("the log at its most talkative, the metrics and the answers hold none either", async () => {
  await logged(keyward, "unknown_key");
  expectNoSecretIn("the log", keyward.log());
  expectNoSecretIn("standard output", keyward.stdout());
  expectNoSecretIn("the metrics", await (await fetch(`http://${keyward.ops}/metrics`)).text());
  const jwks = await (await fetch(`http://${keyward.admin}/.well-known/jwks.json`)).text();
  expect(jwks).toContain(modulus);
  expectNoSecretIn("the set of public keys", jwks);
  for (const method of ["KeyService/ListKeys", "SystemService/GetStatus"]) {
    expectNoSecretIn(method, JSON.stringify(await adminCall(keyward.adminSocket, method, {})));
  }
});

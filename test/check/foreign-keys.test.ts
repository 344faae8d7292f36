import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCheck } from "../../src/check/check.ts";
import type { CheckPorts } from "../../src/check/ports.ts";
import type { ForeignKeys, KeyStore } from "../../src/key/record.ts";
import { secretDigest } from "../../src/store/digest.ts";
import { describeRequest } from "../support/check-request.ts";
import { portsOf, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, tokenOf } from "../support/sample-keys.ts";
import { reasonOf } from "../support/verdict.ts";

const OWN = secretOf("own");
const FOREIGN = "sk_live-4f/Gh12Kq+8=";
const BY_SHA512 = "known-by-its-sha-512";
const TOKEN = tokenOf("foreign", { alg: "RS256" });

/** A store that counts how often it is asked. */
function storeWith(foreign: ForeignKeys | undefined): KeyStore & { asked: number } {
  const digests = new Set([secretDigest(OWN), secretDigest(FOREIGN), secretDigest(BY_SHA512, "sha512")]);
  return {
    asked: 0,
    find(digest) {
      this.asked++;
      return digests.has(digest) ? recordOf() : undefined;
    },
    ...(foreign && { foreignKeys: () => foreign }),
  };
}

function reasonFor(secret: string, store: KeyStore, more: Partial<CheckPorts> = {}) {
  const check = createCheck(portsOf({ store, digest: secretDigest, ...more }));
  return reasonOf(check(describeRequest({ headers: [["authorization", `Bearer ${secret}`]] }), sampleContext));
}

describe.each<[string, ForeignKeys | undefined]>([
  ["a store that says nothing of foreign keys", undefined],
  ["a store without foreign keys", "none"],
])("%s", (_, foreign) => {
  test.each<[string, string, string, number]>([
    ["a key of our form is looked up", OWN, "allowed", 1],
    ["a key of another form is not", FOREIGN, "malformed_credential", 0],
    ["another's token is", TOKEN, "unknown_key", 1],
    ["a key that is known by its SHA-512 is not", BY_SHA512, "malformed_credential", 0],
  ])("%s", (_title, secret, reason, asked) => {
    const store = storeWith(foreign);
    expect([reasonFor(secret, store), store.asked]).toEqual([reason, asked]);
  });
});

describe("a store with foreign keys", () => {
  test.each<[string, string, string, number]>([
    ["a key of our form is looked up once", OWN, "allowed", 1],
    ["a key of our form that nobody made, too", secretOf("nobody's"), "unknown_key", 1],
    ["a key of another form opens", FOREIGN, "allowed", 1],
    ["one character less does not", FOREIGN.slice(0, -1), "unknown_key", 1],
    ["a mistyped key of our form is looked up as one of another", `${OWN.slice(0, -1)}-`, "unknown_key", 1],
    ["512 characters are looked up", "x".repeat(512), "unknown_key", 1],
    ["513 are not", "x".repeat(513), "malformed_credential", 0],
    ["a space within is not", "a b", "malformed_credential", 0],
    ["another script is not", "schl\xfcssel", "malformed_credential", 0],
    ["a key that is known by its SHA-512 does not open", BY_SHA512, "unknown_key", 1],
  ])("%s", (_, secret, reason, asked) => {
    const store = storeWith("sha256");
    expect([reasonFor(secret, store), store.asked]).toEqual([reason, asked]);
  });
});

describe("a store with keys that are known by their SHA-512", () => {
  test.each<[string, string, string, number]>([
    ["opens to them", BY_SHA512, "allowed", 2],
    ["does not to one character more", `${BY_SHA512}x`, "unknown_key", 2],
    ["does not to the hash", createHash("sha512").update(BY_SHA512).digest("hex"), "unknown_key", 2],
    ["asks once for a key that is known by its SHA-256", FOREIGN, "allowed", 1],
    ["asks once for one of our form that nobody made", secretOf("nobody's"), "unknown_key", 1],
  ])("%s", (_, secret, reason, asked) => {
    const store = storeWith("sha512");
    expect([reasonFor(secret, store), store.asked]).toEqual([reason, asked]);
  });
});

test("a store that fails at the second question is not available, and says not that there is no such key", () => {
  let asked = 0;
  const store: KeyStore = {
    find() {
      if (++asked === 2) throw new Error("disk gone");
      return undefined;
    },
    foreignKeys: () => "sha512",
  };
  expect(reasonFor("x", store)).toBe("store_unavailable");
});

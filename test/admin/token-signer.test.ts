import { createHash } from "node:crypto";
import { decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import type { NewKeyFields } from "../../src/admin/keys/key-fields.ts";
import { createSigningKeyRing, type SigningKeyRing } from "../../src/admin/signing/signing-key-ring.ts";
import { tokenClaims, tokenHeader, tokenLength } from "../../src/admin/signing/token-claims.ts";
import { createTokenSigner } from "../../src/admin/signing/token-signer.ts";
import { SIGNING_ALGS, type SigningAlg } from "../../src/key/signing-alg.ts";
import { isOwnToken } from "../../src/key/token.ts";
import type { Store } from "../../src/store/store.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";
import { policyOf } from "../support/policies.ts";

const NOW_MS = 1_700_000_000_000;
const PARTIES = { issuer: "https://keys.example.com/", audience: "orders" };

function signerOf(store: Store) {
  const ring = createSigningKeyRing(store, new Uint8Array(32).fill(1));
  return { ring, signer: createTokenSigner(ring, store, policyOf([]).scopes, PARTIES) };
}

function fieldsOf(alg: SigningAlg, more: Partial<NewKeyFields> = {}): NewKeyFields & { readonly alg: SigningAlg } {
  const { id: _, digest: __, start: ___, ...fields } = sampleKey("signed", more);
  return { ...fields, alg };
}

test.each(SIGNING_ALGS)("what is kept of a token that %s signed follows from it", async (alg) => {
  const { signer } = signerOf(newStore().store);
  const made = await signer.sign(fieldsOf(alg), local, NOW_MS, (identity) => identity);
  expect(isOwnToken(made.secret)).toBe(true);
  expect(made).toEqual({
    id: expect.stringMatching(/^key_0Tvcokgi[0-9A-Za-z]{12}$/),
    secret: made.secret,
    digest: createHash("sha256").update(made.secret).digest("hex"),
    start: `jwt_${made.secret.split(".")[2]?.slice(0, 8)}`,
    signedBy: decodeProtectedHeader(made.secret).kid,
  });
});

test.each(SIGNING_ALGS)("the length of a token of %s is known before it is signed", async (alg) => {
  const { signer } = signerOf(newStore().store);
  const differences = new Set<number>();
  for (let length = 1; length <= 6; length++) {
    const fields = fieldsOf(alg, { scopes: ["s".repeat(length)], tenant: "acme", expiresAtMs: 1_800_000_000_000 });
    const { id, secret, signedBy } = await signer.sign(fields, local, NOW_MS, (made) => made);
    const claims = tokenClaims(id, fields, fields.scopes, PARTIES, NOW_MS);
    differences.add(tokenLength(tokenHeader(signedBy, alg), claims) - secret.length);
  }
  expect([...differences]).toEqual([0]);
});

describe("where the signing key is replaced while it signs", () => {
  test("nothing is kept that it has signed, and the new one signs the same key", async () => {
    const { store } = newStore();
    const { ring } = signerOf(store);
    const taken: string[] = [];
    const use: SigningKeyRing["use"] = async (...args) => {
      const opened = await ring.use(...args);
      if (taken.push(opened.kid) === 1) await ring.rotate("ES256", true, local, 2);
      return opened;
    };
    const signer = createTokenSigner({ ...ring, use }, store, policyOf([]).scopes, PARTIES);
    const fields = fieldsOf("ES256", { expiresAtMs: 9_000 });
    const ids: string[] = [];
    const kept = await signer.sign(fields, local, 3, ({ secret, ...identity }) => {
      ids.push(identity.id);
      const key = store.createKey({ ...identity, ...fields }, local, 3);
      return { key, secret };
    });
    expect(taken).toHaveLength(2);
    expect(taken[0]).not.toBe(taken[1]);
    expect(decodeProtectedHeader(kept.secret).kid).toBe(taken[1]);
    expect(ids).toEqual([kept.key.id, kept.key.id]);
    expect(store.keyByDigest(createHash("sha256").update(kept.secret).digest("hex"))).toEqual(kept.key);
    expect(store.publishedSigningKeys(4)).toMatchObject([{ kid: taken[1], tokensEndAtMs: 9_000 }]);
  });

  test("what fails for another reason fails, once", async () => {
    const { signer } = signerOf(newStore().store);
    let calls = 0;
    const failing = signer.sign(fieldsOf("ES256"), local, 3, () => {
      calls++;
      throw new Error("no room");
    });
    await expect(failing).rejects.toThrow("no room");
    expect(calls).toBe(1);
  });
});

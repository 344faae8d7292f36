import { copyFileSync } from "node:fs";
import { ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { describe, expect, test } from "vitest";
import { createSigningKeyRing, type SigningKeyRing } from "../../src/admin/signing/signing-key-ring.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { SIGNING_ALGS } from "../../src/key/signing-alg.ts";
import { local } from "../store/support/keys.ts";
import { newStore, openedStore } from "../store/support/stores.ts";
import { newStorePath } from "../store/support/temp-dir.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER_KEY = KEY.with(31, 2);

/** What a call was refused with, or "allowed". */
async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "allowed";
  } catch (error) {
    const refusal = ConnectError.from(error);
    const [info] = refusal.findDetails(ErrorInfoSchema);
    return `${codeToString(refusal.code)} ${info?.reason}`;
  }
}

/** What becomes of each use of a ring, none of which may leave a trace where it is refused. */
async function outcomesOf(ring: SigningKeyRing, alg: (typeof SIGNING_ALGS)[number]) {
  return [await outcomeOf(() => ring.requireUsable(alg)), await outcomeOf(() => ring.use(alg, local, 1))];
}

const WRONG = "failed_precondition WRONG_ENCRYPTION_KEY";
const NONE = "failed_precondition NO_ENCRYPTION_KEY";

test.each(SIGNING_ALGS)("the first use of %s makes its signing key, the next ones use it", async (alg) => {
  const { store } = newStore();
  const ring = createSigningKeyRing(store, KEY);
  const first = await ring.use(alg, local, 1);
  const second = await ring.use(alg, local, 2);
  expect(second.kid).toBe(first.kid);
  expect(store.signingKeyInUse(alg)).toMatchObject({ kid: first.kid, alg, createdBy: "local", createdAtMs: 1 });
  expect([ring.isInUse(alg, first.kid), ring.isInUse(alg, `${first.kid}0`), store.revision()]).toEqual([
    true,
    false,
    1,
  ]);
});

test("uses that come at once make one signing key", async () => {
  const { store } = newStore();
  const ring = createSigningKeyRing(store, KEY);
  const used = await Promise.all(Array.from({ length: 5 }, () => ring.use("ES256", local, 1)));
  expect(new Set(used.map(({ kid }) => kid)).size).toBe(1);
});

test("an RSA key has 2,048 bits", async () => {
  const { store } = newStore();
  await createSigningKeyRing(store, KEY).use("RS256", local, 1);
  const { n = "", e } = store.signingKeyInUse("RS256")?.publicJwk ?? {};
  expect([Buffer.from(n, "base64url").length * 8, e]).toEqual([2048, "AQAB"]);
});

describe("without an encryption key", () => {
  test("nothing is signed and nothing is made, and the refusal says why and which setting", async () => {
    const { store } = newStore();
    const ring = createSigningKeyRing(store, undefined);
    expect(await outcomesOf(ring, "RS256")).toEqual([NONE, NONE]);
    expect(await outcomeOf(() => ring.rotate("RS256", false, local, 1))).toBe(NONE);
    expect(store.revision()).toBe(0);
    expect(() => ring.requireUsable("RS256")).toThrow(
      /database file alone.*openssl rand -base64 32.*encryption_key_file/,
    );
  });

  test("signing keys that are there cannot be used", async () => {
    const { store } = newStore();
    const { kid } = await createSigningKeyRing(store, KEY).use("RS256", local, 1);
    const ring = createSigningKeyRing(store, undefined);
    expect(ring.unusable().map((key) => key.kid)).toEqual([kid]);
    expect(await outcomesOf(ring, "RS256")).toEqual([NONE, NONE]);
  });
});

describe("with another encryption key", () => {
  test("nothing is signed and nothing is made, of whichever alg, and the refusal names the signing key", async () => {
    const { store } = newStore();
    const { kid } = await createSigningKeyRing(store, KEY).use("RS256", local, 1);
    const ring = createSigningKeyRing(store, OTHER_KEY);
    for (const alg of SIGNING_ALGS) expect(await outcomesOf(ring, alg)).toEqual([WRONG, WRONG]);
    expect(store.revision()).toBe(1);
    expect(ring.unusable()).toHaveLength(1);
    expect(() => ring.requireUsable("ES256")).toThrow(
      new RegExp(`${kid} \\(RS256\\).*signing-keys rotate --alg RS256`),
    );
    expect(await outcomesOf(createSigningKeyRing(store, KEY), "RS256")).toEqual(["allowed", "allowed"]);
  });

  test("a copied database cannot sign", async () => {
    const { store, path } = newStore();
    await createSigningKeyRing(store, KEY).use("RS256", local, 1);
    const copy = newStorePath();
    for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
    const ring = createSigningKeyRing(openedStore(copy), OTHER_KEY);
    expect(await outcomesOf(ring, "RS256")).toEqual([WRONG, WRONG]);
    expect(await outcomesOf(createSigningKeyRing(openedStore(copy), KEY), "RS256")).toEqual(["allowed", "allowed"]);
  });

  test("a rotation is the way out, one algorithm after the other", async () => {
    const { store } = newStore();
    const before = createSigningKeyRing(store, KEY);
    await before.use("RS256", local, 1);
    await before.use("ES256", local, 1);
    const ring = createSigningKeyRing(store, OTHER_KEY);
    const { kid } = await ring.rotate("RS256", false, local, 2);
    expect((await ring.use("RS256", local, 3)).kid).toBe(kid);
    expect(await outcomesOf(ring, "ES256")).toEqual([WRONG, WRONG]);
    expect(await outcomesOf(ring, "EdDSA")).toEqual([WRONG, WRONG]);
    await ring.rotate("ES256", false, local, 4);
    expect(await outcomesOf(ring, "EdDSA")).toEqual(["allowed", "allowed"]);
    expect(await outcomesOf(before, "RS256")).toEqual([WRONG, WRONG]);
  });

  test("a signing key of another database is refused, whoever has put it there", async () => {
    const [one, other] = [newStore(), newStore()];
    await createSigningKeyRing(one.store, KEY).use("ES256", local, 1);
    const { kid, alg, publicJwk, sealedPrivateJwk } = one.store.signingKeyInUse("ES256") ?? {};
    if (!kid || !alg || !publicJwk || !sealedPrivateJwk) throw new Error("no signing key was made");
    other.store.createSigningKey({ kid, alg, publicJwk, sealedPrivateJwk }, local, 1);
    expect(await outcomesOf(createSigningKeyRing(other.store, KEY), "ES256")).toEqual([WRONG, WRONG]);
  });
});

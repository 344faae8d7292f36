import { expect, test } from "vitest";
import { LOCAL_CALLER, whyEnded } from "../../src/admin/caller.ts";
import type { StoredAdminKey } from "../../src/store/admin-keys.ts";
import { digestOf, local } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";

const NOW = 1_000;
const EXPIRED = "the token or certificate has expired; log in again";
const RECONSIDERED = "the configuration of admin_identities or oidc has changed; log in again";
const NOT_VALID = "the admin key is not valid";

/** A store with an admin key, and one that was revoked. */
function storeWithAdminKeys() {
  const { store } = newStore();
  const make = (id: string): StoredAdminKey =>
    store.createAdminKey({ id, digest: digestOf(id), start: "kwadm_12345678", name: id, scopes: [] }, local, 1);
  make("adm_valid");
  store.revokeAdminKey(make("adm_revoked").id, local, 2);
  return store;
}

test.each<[title: string, caller: Parameters<typeof whyEnded>[0], why: string | undefined]>([
  ["an admin key goes on", { name: "adm_valid" }, undefined],
  ["one that was revoked does not", { name: "adm_revoked" }, NOT_VALID],
  ["one that is not there does not", { name: "adm_gone" }, NOT_VALID],
  ["a token goes on to its last millisecond", { name: "oidc:ann", validUntilMs: NOW }, undefined],
  ["past it, it does not", { name: "oidc:ann", validUntilMs: NOW - 1 }, EXPIRED],
  ["past its end, nor does a certificate", { name: "certificate:cn:ann", validUntilMs: NOW - 1 }, EXPIRED],
  [
    "what is reconsidered does not",
    { name: "oidc:ann", validUntilMs: NOW, reconsidered: AbortSignal.abort() },
    RECONSIDERED,
  ],
  ["the local admin socket goes on", LOCAL_CALLER, undefined],
])("%s", (_, caller, why) => {
  expect(whyEnded(caller, storeWithAdminKeys(), NOW)).toBe(why);
});

import { createCheck } from "../../src/check/check.ts";
import { DEFAULT_SOURCES } from "../../src/check/credential.ts";
import type { CheckPorts } from "../../src/check/ports.ts";
import { latin1 } from "../../src/serve/latin1.ts";
import { digestOf } from "../store/support/keys.ts";
import { type Described, describeRequest } from "./check-request.ts";
import { policyOf } from "./policies.ts";
import { ratesAt } from "./rates.ts";
import { storeOf } from "./sample-keys.ts";

/** The names of the identity headers where nothing else is configured. */
export const identityHeaders = {
  keyId: "x-keyward-key-id",
  owner: "x-keyward-owner",
  tenant: "x-keyward-tenant",
  scopes: "x-keyward-scopes",
};

/** What every sample check is told: the moment, and what to call its decision. */
export const sampleContext = { nowMs: 1_700_000_000_000, decisionId: "d-1" };

/** The surroundings of a check as they are without any configuration, with an empty store, but for what the test says. */
export function portsOf(more: Partial<CheckPorts> = {}): CheckPorts {
  return {
    policy: policyOf([]),
    credentials: DEFAULT_SOURCES,
    trustedHops: 0,
    identityHeaders,
    realm: "keyward",
    wwwAuthenticate: "on",
    expiryWarningMs: 0,
    latin1,
    digest: digestOf,
    store: storeOf({}),
    rates: ratesAt(() => 0n),
    serveStaleForMs: 0,
    onStoreError: "deny",
    observe: () => undefined,
    ...more,
  };
}

/** Judges requests in such surroundings, each as a serialized CheckResponse. */
export function createSampleCheck(more: Partial<CheckPorts> = {}): (request: Described | Uint8Array) => Uint8Array {
  const check = createCheck(portsOf(more));
  return (request) => check(request instanceof Uint8Array ? request : describeRequest(request), sampleContext);
}

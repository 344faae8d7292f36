import { createCheck, createHttpCheck } from "../../check/check.ts";
import type { CheckPorts } from "../../check/ports.ts";
import type { Settings } from "../../config/settings.ts";
import { soundPolicy } from "../../policy/policy.ts";
import { secretDigest } from "../../store/digest.ts";
import { latin1 } from "../latin1.ts";

/** What goes on from one configuration to the next: store, rates, and all that counts and tells. */
export type LastingPorts = Pick<CheckPorts, "store" | "rates" | "noteKey" | "noteInvalidKey" | "observe">;

/** Makes the checks of a configuration, for those who ask over gRPC and over HTTP. */
export function createChecks(settings: Settings, lasting: LastingPorts) {
  const ports: CheckPorts = {
    ...lasting,
    policy: soundPolicy(settings.policy),
    credentials: settings.credentials,
    trustedHops: settings.trustedHops,
    identityHeaders: settings.identityHeaders,
    realm: settings.realm,
    wwwAuthenticate: settings.wwwAuthenticate,
    expiryWarningMs: settings.expiryWarningMs,
    onStoreError: settings.onStoreError,
    serveStaleForMs: settings.stale.serveForMs,
    latin1,
    digest: secretDigest,
  };
  return { grpc: createCheck(ports), http: createHttpCheck(ports) };
}

import { createCredentialReader, DEFAULT_SOURCES } from "../../src/check/credential.ts";
import { decide } from "../../src/check/decide.ts";
import { createDecode } from "../../src/check/decode.ts";
import { createEncode } from "../../src/check/encode.ts";
import { findPlace } from "../../src/check/place.ts";
import { latin1 } from "../../src/serve/latin1.ts";
import { createKeyCache } from "../../src/store/cache.ts";
import { secretDigest } from "../../src/store/digest.ts";
import type { KeyReader } from "../../src/store/reader.ts";
import { policyOf } from "../support/policies.ts";
import { identityHeaders, portsOf } from "../support/sample-check.ts";
import { checkRequest, ROUTES } from "./request.ts";

/** A part of `check(bytes)`, to be run again and again. */
interface CheckPart {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * The parts of a hit that cost the most, each by itself and on the same request: what is left of a hit beside them is the
 * rule, the judgements, and what the parts cost each other in the processor's caches.
 */
export function checkParts(reader: KeyReader, secret: string): CheckPart[] {
  const ports = portsOf({ policy: policyOf(ROUTES) });
  const context = { nowMs: Date.now(), decisionId: "5f2b1f5c-2f0b-4a55-9a43-1f6f8f3f1c11" };
  const bytes = checkRequest(secret);
  const credentials = createCredentialReader(DEFAULT_SOURCES);
  const decode = createDecode({ credentials: credentials.headers, identity: Object.values(identityHeaders) }, latin1);
  const encode = createEncode(ports);
  const cache = createKeyCache(reader, { maxKeys: 1, maxUnknown: 1 });
  const digest = secretDigest(secret);
  const request = decode(bytes);
  const record = cache.find(digest);
  const place = request && findPlace(request, ports.policy);
  if (request === undefined || record === undefined || place === undefined || "allowed" in place) {
    throw new Error("the parts of a check are not those of a hit");
  }
  const target = { method: request.method, path: place.path, address: undefined };
  const decision = decide(target, place.rule, record, context.nowMs, {
    scopes: ports.policy.scopes,
    rates: ports.rates,
  });
  return [
    { name: "part: the request is read", run: () => decode(bytes) },
    { name: "part: the key is found in it", run: () => credentials.read(request) },
    { name: "part: SHA-256 of the key", run: () => secretDigest(secret) },
    { name: "part: the answer is written", run: () => encode(decision, context, { headers: ["authorization"] }, []) },
  ];
}

import type { KeyRecord, KeyStore } from "../key/record.ts";
import type { Policy } from "../policy/policy.ts";
import type { AccessRequest } from "./access-request.ts";
import type { CheckContext } from "./context.ts";
import type { CredentialSource } from "./credential.ts";
import type { Decision } from "./decide.ts";
import type { EncodeSettings } from "./encode.ts";
import type { Latin1 } from "./latin1.ts";
import type { Digest } from "./lookup.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** What the check path needs of the world. */
export interface CheckPorts extends EncodeSettings {
  readonly policy: Policy;
  readonly credentials: readonly CredentialSource[];
  /** How many proxies stand in front of Envoy. */
  readonly trustedHops: number;
  readonly latin1: Latin1;
  readonly digest: Digest;
  readonly store: KeyStore;
  readonly rates: Pick<RateLimiter, "take">;
  /** How stale the store may be, in milliseconds, where a route says nothing else. */
  readonly serveStaleForMs: number;
  /**
   * Told of every decision once it is made, with what was thrown where that was the reason, and of a denial with the client's
   * address as far as it is known. The request is not to be kept: its bytes hold the key, and are used again.
   */
  readonly observe: (
    decision: Decision,
    request: ObservedRequest | undefined,
    context: CheckContext,
    cause?: unknown,
    address?: string,
  ) => void;
  /** Told of every decision about a known key. */
  readonly noteKey?: NoteKey;
  /** Told of everything that was presented and is no key. */
  readonly noteInvalidKey?: NoteInvalidKey;
}

/** Counts what was presented and is no key. The address is the client's, as far as it is known. */
export type NoteInvalidKey = (
  reason: "malformed_credential" | "unknown_key",
  address: string | undefined,
  nowMs: number,
) => void;

/**
 * Counts what is done with a key. The address is the client's, as far as it is known; what the client calls itself is told
 * of allowed keys in their grace period only.
 */
export type NoteKey = (
  record: KeyRecord,
  reason: Decision["reason"],
  address: string | undefined,
  userAgent: string | undefined,
  nowMs: number,
) => void;

/** What an observer may see of a request. The query of `target` may hold a secret: it is not to be told on. */
export type ObservedRequest = Pick<AccessRequest, "method" | "authority" | "target" | "sourceAddress">;

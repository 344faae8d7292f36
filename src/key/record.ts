/**
 * What the data plane knows of a key. The secret is not part of it, and neither is any verdict: state, expiry, paths and
 * scopes are judged anew on every request.
 */
export interface KeyRecord {
  /** `key_…`, never secret. */
  readonly id: string;
  readonly tenant: string | undefined;
  /** `user/…`, `service/…` or `project/…`. */
  readonly owner: string | undefined;
  /** What the key itself was given; what it grants, its owner has a say in (`policy/scope-graph.ts`). See `scope.ts`. */
  readonly scopes: readonly string[];
  /** The key has all that its owner has, and no scopes of its own. */
  readonly inheritsScopes: boolean;
  /** What is registered of its owner. Unset: nothing, and the owner limits nothing. */
  readonly ownerLimits: OwnerLimits | undefined;
  /** Empty: any path. `/v1`: that path and all below it. `=/v1`: that path only. */
  readonly paths: readonly string[];
  readonly notBeforeMs: number | undefined;
  /** Unset: never expires. */
  readonly expiresAtMs: number | undefined;
  readonly revoked: boolean;
  readonly disabled: boolean;
  /** After a rotation the key ends then, if not before. Unset: it was not rotated. */
  readonly graceEndsAtMs: number | undefined;
  /** Method names in upper case. Empty: any. */
  readonly methods: readonly string[];
  /** From where the key opens. Unset: from anywhere. */
  readonly networks: AddressSet | undefined;
  /** Unset: as often as one likes. */
  readonly rateLimit: RateLimit | undefined;
  /** Whether the secret is a signed token (JWT) that back ends can verify by themselves. */
  readonly signed: boolean;
  /** The store's revision in which this record last changed. */
  readonly revision: number;
}

/** What an owner says of all keys that are its. */
export interface OwnerLimits {
  readonly disabled: boolean;
  /** No key of the owner grants more. Unset: each grants what it was given. */
  readonly scopes: readonly string[] | undefined;
}

/** How often a key may be used. */
export interface RateLimit {
  /** 1 to 1,000,000. */
  readonly requests: number;
  /** Within so many milliseconds: 1 second to 31 days. */
  readonly windowMs: number;
  /** Where they are counted: keys with the same cell are counted together. From 0. */
  readonly cell: number;
}

/**
 * How many cells there are: 8 MiB of memory at the most, of which only what is used is taken. More keys than that, with a
 * rate limit and not revoked, one process cannot have.
 */
export const RATE_CELLS = 2 ** 20;

/** A set of network addresses. */
export interface AddressSet {
  /** Whether an IPv4 or IPv6 address is in it; a text that is no address never is. */
  has(address: string): boolean;
}

/**
 * Where the check path finds keys.
 *
 * `find` takes the SHA-256 of the whole secret as 64 lower-case hex digits and returns the record, or undefined where no
 * key has that digest. It throws where it cannot tell (disk gone, not ready): that is never "no such key".
 */
export interface KeyStore {
  find(digest: string): KeyRecord | undefined;
  /**
   * For how many milliseconds nobody has been able to tell whether what is found is up to date; 0: it is. Never throws. Left
   * out: 0.
   */
  staleMs?(): number;
  /** Whether there may be keys of other forms than ours. Never throws, and is answered from memory. Left out: "none". */
  foreignKeys?(): ForeignKeys;
}

/**
 * Which keys a store has that were made elsewhere: none, or some that are known by the SHA-256 of their secret, or also such
 * that are known by its SHA-512.
 */
export type ForeignKeys = "none" | "sha256" | "sha512";

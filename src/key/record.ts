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
  /** Exact tokens, or with `*` as the whole last segment; see `scope.ts`. */
  readonly scopes: readonly string[];
  /** Empty: any path. `/v1`: that path and all below it. `=/v1`: that path only. */
  readonly paths: readonly string[];
  readonly notBeforeMs: number | undefined;
  /** Unset: never expires. */
  readonly expiresAtMs: number | undefined;
  readonly revoked: boolean;
  readonly disabled: boolean;
  /** After a rotation the key opens until then, and is as revoked from then on. Unset: it was not rotated. */
  readonly graceEndsAtMs: number | undefined;
  /** Method names in upper case. Empty: any. */
  readonly methods: readonly string[];
  /** From where the key opens. Unset: from anywhere. */
  readonly networks: AddressSet | undefined;
  /** The store's revision in which this record last changed. */
  readonly revision: number;
}

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
}

import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import type { SigningAlg } from "../key/signing-alg.ts";
import type { Actor } from "./audit.ts";
import type { Ledger } from "./ledger.ts";
import { StoreError, surfacing } from "./store-error.ts";
import { written } from "./written.ts";

/** A key that signs keys, to be kept. */
export interface NewSigningKey {
  /** `kwsk_…`, which is in the header of every token that it signs. */
  readonly kid: string;
  readonly alg: SigningAlg;
  /** The public half (RFC 7517), and nothing of the private one. */
  readonly publicJwk: Readonly<Record<string, string>>;
  /** The private half, encrypted: the database must not give it away. */
  readonly sealedPrivateJwk: Buffer;
}

/** All that is kept of a signing key. */
export interface StoredSigningKey extends Omit<NewSigningKey, "sealedPrivateJwk"> {
  /** Undefined once another key has taken its place. */
  readonly sealedPrivateJwk: Buffer | undefined;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** Undefined: it is in use. */
  readonly retiredAtMs: number | undefined;
  /** When the last token ends that it has signed: 0 where it has signed none, Infinity where one never ends. */
  readonly tokensEndAtMs: number;
}

/** The keys that sign keys: of each algorithm one is in use. Every call throws StoreError where the store fails. */
export interface SigningKeys {
  /** What signs with an algorithm; undefined where none was made yet. */
  signingKeyInUse(alg: SigningAlg): StoredSigningKey | undefined;
  /** Those in use, of every algorithm. */
  signingKeysInUse(): StoredSigningKey[];
  /** Those in use, and those that have signed a token which has not ended; the latest first. */
  publishedSigningKeys(nowMs: number): StoredSigningKey[];
  /** Keeps the first key of an algorithm. Where somebody was faster, theirs is returned, with nothing written. */
  createSigningKey(key: NewSigningKey, actor: Actor, nowMs: number): StoredSigningKey;
  /**
   * Puts a key in the place of the one in use, whose private half is forgotten. With `withdrawEarlier` all that came before
   * it with the same algorithm are forgotten, and so published no more.
   */
  rotateSigningKey(key: NewSigningKey, withdrawEarlier: boolean, actor: Actor, nowMs: number): StoredSigningKey;
}

/** A row of `signing_keys`. */
interface SigningKeyRow {
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly public_jwk: string;
  readonly private_jwk: Buffer | null;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly retired_at_ms: number | null;
  readonly tokens_end_at_ms: number | null;
}

export function openSigningKeys(db: Database.Database, ledger: Ledger): SigningKeys {
  const inUse = db.prepare<[], SigningKeyRow>("SELECT * FROM signing_keys WHERE retired_at_ms IS NULL ORDER BY kid");
  const inUseOf = db.prepare<[string], SigningKeyRow>(
    "SELECT * FROM signing_keys WHERE alg = ? AND retired_at_ms IS NULL",
  );
  // By kid, which begins with the time at which it was made.
  const published = db.prepare<[number], SigningKeyRow>(
    `SELECT * FROM signing_keys
     WHERE retired_at_ms IS NULL OR tokens_end_at_ms IS NULL OR tokens_end_at_ms > ?
     ORDER BY kid DESC`,
  );
  const insert = db.prepare(
    `INSERT INTO signing_keys (kid, alg, public_jwk, private_jwk, created_at_ms, created_by, revision)
     VALUES (@kid, @alg, @publicJwk, @sealedPrivateJwk, @nowMs, @by, @revision)`,
  );
  const retire = db.prepare(
    `UPDATE signing_keys SET retired_at_ms = @nowMs, private_jwk = NULL, revision = @revision
     WHERE alg = @alg AND retired_at_ms IS NULL`,
  );
  const withdraw = db.prepare<[string], string>("DELETE FROM signing_keys WHERE alg = ? RETURNING kid").pluck();

  const keep = (key: NewSigningKey, actor: Actor, nowMs: number, revision: number) => {
    insert.run({ ...key, publicJwk: JSON.stringify(key.publicJwk), nowMs, by: actor.name, revision });
    return storedSigningKeyOf(written(inUseOf.get(key.alg)));
  };

  return {
    signingKeyInUse: surfacing(db, (alg) => {
      const row = inUseOf.get(alg);
      return row && storedSigningKeyOf(row);
    }),
    signingKeysInUse: surfacing(db, () => inUse.all().map(storedSigningKeyOf)),
    publishedSigningKeys: surfacing(db, (nowMs) => published.all(nowMs).map(storedSigningKeyOf)),

    createSigningKey: surfacing(db, (key, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const faster = inUseOf.get(key.alg);
        if (faster !== undefined) return storedSigningKeyOf(faster);
        const detail = { alg: key.alg };
        record({ action: "signing_keys.create", target: key.kid, tenant: undefined, detail }, [digestOf(key)]);
        return keep(key, actor, nowMs, revision);
      }),
    ),

    rotateSigningKey: surfacing(db, (key, withdrawEarlier, actor, nowMs) =>
      ledger.transact(actor, nowMs, ({ revision, record }) => {
        const { kid, alg } = key;
        const predecessor = inUseOf.get(alg)?.kid ?? null;
        retire.run({ alg, nowMs, revision });
        const withdrawn = withdrawEarlier ? withdraw.all(alg).toSorted() : [];
        const detail = { alg, predecessor, withdrawn };
        record({ action: "signing_keys.rotate", target: kid, tenant: undefined, detail }, [digestOf(key)]);
        return keep(key, actor, nowMs, revision);
      }),
    ),
  };
}

/**
 * Tells the signing key with which a token was signed when that ends; undefined: never. Throws StoreError `conflict` where
 * the signing key is no longer in use: it may have been withdrawn, and nobody could verify the token. Part of the
 * transaction that writes the key.
 */
export function openTokenEnds(db: Database.Database): (kid: string, endAtMs: number | undefined) => void {
  // max() of SQLite is NULL where one of its arguments is: what never ends is later than anything.
  const raise = db.prepare<[number | null, string]>(
    "UPDATE signing_keys SET tokens_end_at_ms = max(tokens_end_at_ms, ?) WHERE kid = ? AND retired_at_ms IS NULL",
  );
  return (kid, endAtMs) => {
    if (raise.run(endAtMs ?? null, kid).changes === 1) return;
    throw new StoreError("conflict", new Error(`the signing key ${kid} is not in use`));
  };
}

/** The feed has an entry for each change; no key of the data plane has this digest. */
function digestOf({ kid }: NewSigningKey): Buffer {
  return hash("sha256", kid, "buffer");
}

function storedSigningKeyOf(row: SigningKeyRow): StoredSigningKey {
  return {
    kid: row.kid,
    alg: row.alg,
    publicJwk: JSON.parse(row.public_jwk) as Record<string, string>,
    sealedPrivateJwk: row.private_jwk ?? undefined,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    retiredAtMs: row.retired_at_ms ?? undefined,
    tokensEndAtMs: row.tokens_end_at_ms ?? Number.POSITIVE_INFINITY,
  };
}

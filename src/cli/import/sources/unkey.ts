import { z } from "zod";
import { type Draft, EntryProblem, fromSecret } from "../draft.ts";
import { readHash } from "../hashes.ts";
import { parsed, type Source } from "../source.ts";
import { embedded, metadataOf, text, texts, time, truth, whole } from "../values.ts";

/**
 * Keys of Unkey: as `apis.listKeys` returns them, with `plaintext` where they are recoverable (`decrypt: true`); as
 * `keys.migrateKeys` takes them, with `hash`; or as rows of its table `keys`. A hash is the SHA-256 of the key in base64.
 */
const RECORD = z.object({
  keyId: text,
  id: text,
  start: text,
  name: text,
  plaintext: text,
  hash: z.union([z.string(), z.object({ value: z.string(), variant: z.string() })], "must be a text").nullish(),
  externalId: text,
  ownerId: text,
  owner_id: text,
  identity: z.object({ externalId: text }).nullish(),
  enabled: truth,
  expires: time,
  deleted_at_m: time,
  permissions: texts,
  roles: texts,
  meta: embedded,
  credits: z.object({ remaining: whole }).nullish(),
  remaining: whole,
  remaining_requests: whole,
  ratelimits: z.array(z.object({ limit: z.int(), duration: z.int(), autoApply: z.boolean().nullish() })).nullish(),
});

type UnkeyRecord = z.output<typeof RECORD>;

export const unkey: Source = {
  reads: "the keys of apis.listKeys (with plaintext) or keys.migrateKeys (with hash) as JSON, or the table keys as CSV",
  forms: ["json", "csv"],
  lists: ["data", "keys", "data.keys"],
  createReader: () => ({
    read({ line, value }) {
      const record = parsed(RECORD, value);
      // A deleted row is no key any more.
      if (record.deleted_at_m !== undefined) return [];
      const { start, name, expires, permissions, roles, enabled } = record;
      const { metadata, lost } = metadataOf("", record.meta);
      const origin = metadataOf("unkey.", { id: record.keyId ?? record.id, roles: roles.join(" ") });
      const ownerId = record.identity?.externalId ?? record.externalId ?? record.ownerId ?? record.owner_id;
      const secret = secretOf(record);
      const { rateLimit, lost: lostLimits } = limitsOf(record);
      const draft: Draft = {
        line,
        ...secret,
        start: start ?? secret.start,
        name: name ?? start,
        owner: ownerId === undefined ? undefined : { id: ownerId, type: "user" },
        scopes: permissions,
        expiresAt: expires,
        rateLimit,
        metadata: { ...metadata, ...origin.metadata },
        disabled: enabled === false,
        lost: [...lost, ...origin.lost, ...lostLimits],
      };
      return [draft];
    },
  }),
};

function secretOf({ plaintext, hash }: UnkeyRecord): Pick<Draft, "hash" | "start" | "short"> {
  if (plaintext !== undefined) return fromSecret(plaintext);
  if (hash === undefined || hash === null || hash === "") {
    throw new EntryProblem("has neither plaintext nor hash: export it with decrypt, or from the database");
  }
  if (typeof hash === "string") return { hash: readHash(hash) };
  if (hash.variant !== "sha256_base64") throw new EntryProblem("the hash must be of the variant sha256_base64");
  return { hash: readHash(hash.value) };
}

/** One limit that counts every request is what Keyward has, too. */
function limitsOf(record: UnkeyRecord): { rateLimit: Draft["rateLimit"]; lost: string[] } {
  const remaining = record.credits?.remaining ?? record.remaining ?? record.remaining_requests;
  const lost = remaining === undefined ? [] : [`a number of uses left (${remaining})`];
  const limits = record.ratelimits ?? [];
  const [first, ...others] = limits;
  if (first === undefined) return { rateLimit: undefined, lost };
  if (others.length > 0 || first.autoApply === false) {
    return { rateLimit: undefined, lost: [...lost, "rate limits other than one that counts every request"] };
  }
  return { rateLimit: { requests: first.limit, windowMs: Math.ceil(first.duration / 1000) * 1000 }, lost };
}

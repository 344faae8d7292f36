import { z } from "zod";
import { type Draft, EntryProblem } from "../draft.ts";
import { readHash } from "../hashes.ts";
import { parsed, type Source } from "../source.ts";
import { embedded, metadataOf, text, time, truth, whole } from "../values.ts";

/**
 * The table `apikey` of the API-key plugin of better-auth (https://better-auth.com/docs/plugins/api-key/reference): `key` is
 * the SHA-256 of the key in base64url without padding, unless `disableKeyHashing` is set. Dumps of databases write the names
 * of columns in their own ways.
 */
const ROW = z.object({
  id: text,
  name: text,
  start: text,
  prefix: text,
  key: text,
  // Until 1.4 a key always belonged to a user.
  referenceid: text,
  userid: text,
  configid: text,
  enabled: truth,
  ratelimitenabled: truth,
  ratelimittimewindow: whole,
  ratelimitmax: whole,
  remaining: whole,
  expiresat: time,
  permissions: embedded,
  metadata: embedded,
});

const PERMISSIONS = z.record(z.string(), z.array(z.string()));

export const betterAuth: Source = {
  reads: "the table apikey as CSV with a first line of names, or as JSON",
  forms: ["json", "csv"],
  lists: ["apikey", "apiKeys", "data"],
  createReader: () => ({
    columns: { needed: ["key"], isKnown: () => true, known: "any" },
    read({ line, value }) {
      const row = parsed(ROW, withPlainNames(value));
      if (row.key === undefined) throw new EntryProblem("has no key: this is the hash that better-auth stores");
      const { id, configid } = row;
      const { metadata, lost } = metadataOf("", row.metadata);
      const ownerId = row.referenceid ?? row.userid;
      const draft: Draft = {
        line,
        hash: readHash(row.key),
        start: row.start,
        name: row.name ?? row.start,
        owner: ownerId === undefined ? undefined : { id: ownerId, type: "user" },
        scopes: scopesOf(row.permissions),
        expiresAt: row.expiresat,
        rateLimit: rateLimitOf(row),
        metadata: { ...metadata, ...metadataOf("better-auth.", { id, config: configid }).metadata },
        disabled: row.enabled === false,
        lost: row.remaining === undefined ? lost : [...lost, `a number of uses left (${row.remaining})`],
      };
      return [draft];
    },
  }),
};

/** `userId`, `user_id` and `userid` are one. */
function withPlainNames(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new EntryProblem("is no object");
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name.replaceAll("_", "").toLowerCase(), entry]),
  );
}

/** `{"files":["read"]}` is the scope `files:read`. */
function scopesOf(permissions: unknown): string[] {
  if (permissions === undefined) return [];
  const byResource = PERMISSIONS.safeParse(permissions);
  if (!byResource.success) throw new EntryProblem("permissions must be an object of lists of actions");
  return Object.entries(byResource.data).flatMap(([resource, actions]) =>
    actions.map((action) => `${resource}:${action}`),
  );
}

/** The window in whole seconds, never shorter than it was. */
function rateLimitOf({
  ratelimitenabled,
  ratelimitmax,
  ratelimittimewindow,
}: z.output<typeof ROW>): Draft["rateLimit"] {
  if (ratelimitenabled !== true || ratelimitmax === undefined || ratelimittimewindow === undefined) return undefined;
  return { requests: ratelimitmax, windowMs: Math.ceil(ratelimittimewindow / 1000) * 1000 };
}

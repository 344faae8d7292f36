import { z } from "zod";
import { parseDuration } from "../../../config/duration.ts";
import { type Draft, EntryProblem, fromSecret } from "../draft.ts";
import { readHash } from "../hashes.ts";
import { parsed, type Source } from "../source.ts";
import { text, texts, time, truth } from "../values.ts";

// Tables of anybody's making: one key a line, the columns named in the first line.

const FIELDS = z.object({
  start: text,
  name: text,
  tenant: text,
  owner: text,
  note: text,
  scopes: texts,
  paths: texts,
  methods: texts,
  cidrs: texts,
  not_before: time,
  expires_at: time,
  rate_limit: text,
  disabled: truth,
});

const NAMES = Object.keys(FIELDS.shape);

/** A column that becomes an entry of Key.metadata: `metadata.team`. */
const METADATA = "metadata.";

/** `--from sha256-hex`: hashes. */
export const hashTable: Source = tableOf("hash", (hash) => ({ hash: readHash(hash) }));

/** `--from plaintext`: the keys themselves, of which nothing but the hash leaves this program. */
export const plaintextTable: Source = tableOf("key", fromSecret);

function tableOf(column: string, secretOf: (value: string) => Pick<Draft, "hash" | "start" | "short">): Source {
  const known = [column, ...NAMES, `${METADATA}NAME`].join(", ");
  const isKnown = (name: string) => name === column || NAMES.includes(name) || name.startsWith(METADATA);
  return {
    reads: `CSV with the column ${column}, and any of ${[...NAMES, `${METADATA}NAME`].join(", ")}`,
    forms: ["csv"],
    lists: [],
    createReader: () => ({
      columns: { needed: [column], isKnown, known },
      read({ line, value }) {
        const row = value as Readonly<Record<string, string>>;
        const fields = parsed(FIELDS, row);
        const { not_before: notBefore, expires_at: expiresAt, rate_limit: rateLimit, start, ...others } = fields;
        const metadata = Object.entries(row).filter(([name, text]) => name.startsWith(METADATA) && text !== "");
        const secret = secretOf((row[column] ?? "").trim());
        return [
          {
            ...others,
            line,
            ...secret,
            start: start ?? secret.start,
            notBefore,
            expiresAt,
            rateLimit: rateLimit === undefined ? undefined : rateLimitOf(rateLimit),
            metadata: Object.fromEntries(metadata.map(([name, text]) => [name.slice(METADATA.length), text])),
          },
        ];
      },
    }),
  };
}

function rateLimitOf(written: string): NonNullable<Draft["rateLimit"]> {
  const [, requests, window = ""] = /^(\d{1,9})\/(\w+)$/.exec(written) ?? [];
  const windowMs = parseDuration(window);
  if (requests === undefined || windowMs === undefined) throw new EntryProblem("rate_limit must be such as 100/60s");
  return { requests: Number(requests), windowMs };
}

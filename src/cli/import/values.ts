import { z } from "zod";

// What records of several sources have in common, as zod reads it. Messages hold no value: it may be a secret.

/** A text; null and "" are none. */
export const text = z
  .string("must be a text")
  .nullish()
  .transform((given) => given || undefined);

/** A list of texts; as one text, its items are separated by commas or spaces. */
export const texts = z
  .union([z.array(z.string()), z.string()], "must be a list of texts")
  .nullish()
  .transform((given) =>
    typeof given === "string" ? given.split(/[\s,]+/).filter((item) => item !== "") : (given ?? []),
  );

const TRUE = ["true", "1", "t", "yes"];
const FALSE = ["false", "0", "f", "no"];

/** A truth value, as JSON, SQL dumps and people write it; undefined where nothing is said. */
export const truth = z
  .union([z.boolean(), z.literal([0, 1]), z.string()], "must be true or false")
  .nullish()
  .transform((given, context) => {
    if (given === null || given === undefined || given === "") return undefined;
    const word = String(given).toLowerCase();
    if (TRUE.includes(word)) return true;
    if (FALSE.includes(word)) return false;
    context.addIssue("must be true or false");
    return z.NEVER;
  });

/** A whole number, as JSON or text. */
export const whole = z
  .union([z.number(), z.string()], "must be a whole number")
  .nullish()
  .transform((given, context) => {
    if (given === null || given === undefined || given === "") return undefined;
    const number = typeof given === "string" && /^-?\d{1,15}(\.0+)?$/.test(given) ? Number(given) : given;
    if (typeof number === "number" && Number.isSafeInteger(number)) return number;
    context.addIssue("must be a whole number");
    return z.NEVER;
  });

/** The date, "T" or a space, the time, and perhaps an offset; without one, databases mean UTC. */
const WRITTEN_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** 100 gigaseconds are the year 5138, and 100 gigamilliseconds 1973: what is less counts seconds. */
const FIRST_MILLISECONDS = 1e11;

/** A time: RFC 3339, the way in which databases write it (UTC unless told), or a number of seconds or milliseconds. */
export const time = z
  .union([z.number(), z.string()], "must be a time")
  .nullish()
  .transform((given, context) => {
    if (given === null || given === undefined || given === "") return undefined;
    const ms = msOf(given);
    if (!Number.isNaN(ms)) return new Date(ms);
    context.addIssue("must be a time such as 2026-12-31T23:59:59Z");
    return z.NEVER;
  });

function msOf(given: number | string): number {
  const number = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given;
  if (typeof number === "number") return new Date(number < FIRST_MILLISECONDS ? number * 1000 : number).getTime();
  const [, date, clock, fraction = "", offset = "Z"] = WRITTEN_TIME.exec(number) ?? [];
  const minutes = /^[+-]\d\d$/.test(offset) ? `${offset}:00` : offset.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  return Date.parse(`${date}T${clock}${fraction.slice(0, 4)}${minutes}`);
}

/** JSON that a column of a database holds as text, or a value of a JSON file itself. */
export const embedded = z
  .unknown()
  .optional()
  .transform((given, context) => {
    if (typeof given !== "string") return given ?? undefined;
    if (given === "") return undefined;
    try {
      const value: unknown = JSON.parse(given);
      // Some libraries have written it as JSON twice.
      return typeof value === "string" ? (JSON.parse(value) as unknown) : (value ?? undefined);
    } catch {
      context.addIssue("must be JSON");
      return z.NEVER;
    }
  });

/** The values of the bounds of Key.metadata. */
const MAX_METADATA_LENGTH = 500;

/** Values for Key.metadata under names that begin with `prefix`; what does not fit is told beside. */
export function metadataOf(prefix: string, values: unknown): { metadata: Record<string, string>; lost: string[] } {
  const metadata: Record<string, string> = {};
  const lost: string[] = [];
  const entries = typeof values === "object" && values !== null ? Object.entries(values) : [];
  for (const [name, value] of entries) {
    if (value === undefined || value === null || value === "") continue;
    const written = typeof value === "string" ? value : JSON.stringify(value);
    const place = `${prefix}${name}`;
    const fits =
      /^[A-Za-z0-9._/-]{1,64}$/.test(place) && written.length <= MAX_METADATA_LENGTH && !/\p{Cc}/u.test(written);
    if (fits) metadata[place] = written;
    else lost.push(`the metadata ${JSON.stringify(place.slice(0, 60))}, which does not fit`);
  }
  return { metadata, lost };
}

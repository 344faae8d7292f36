import { ADDRESS_BOUND, type Address, formatAddress, readAddress } from "./address.ts";
import { DURATION, formatDuration, parseDuration } from "./duration.ts";
import { HEADER_NAME_BOUND, readHeaderName } from "./header-name.ts";
import { type Reading, readText } from "./reading.ts";

/** How a setting's value is written, read and bounded, wherever it comes from. */
export interface ValueType<T> {
  /** Stands for the value in `--help`. */
  readonly placeholder: string;
  /** What the value has to be, as a phrase that follows "must be". */
  readonly bound: string;
  /** The same for editors, in JSON Schema as far as that can say it: what `read` takes, it must never refuse. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Turns the text of a flag or of an environment variable into what YAML would have given for it. */
  fromText(text: string): unknown;
  /** Reads a value as YAML gives it: text, number, truth value, list, mapping or null. */
  read(raw: unknown): Reading<T>;
  /** Writes a value so that `read` gives the same again. */
  write(value: T): string | number | boolean;
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): ValueType<Word> {
  const bound = `one of ${words.join(", ")}`;
  const read = (raw: unknown): Reading<Word> => {
    const value = words.find((word) => word === raw);
    return value === undefined ? { problem: `must be ${bound}` } : { value };
  };
  return { placeholder: "word", bound, schema: { enum: words }, fromText: String, read, write: String };
}

/** A whole number within two bounds, both of which are allowed. */
export function integer(min: number, max: number): ValueType<number> {
  const bound = `>= ${min} and <= ${max}`;
  const read = (raw: unknown): Reading<number> => {
    if (typeof raw !== "number" || !Number.isInteger(raw)) return { problem: `must be a whole number ${bound}` };
    return raw < min || raw > max ? { problem: `must be ${bound}` } : { value: raw };
  };
  const fromText = (text: string): unknown => (/^-?\d+$/.test(text) ? Number(text) : text);
  const schema = { type: "integer", minimum: min, maximum: max };
  return { placeholder: "number", bound, schema, fromText, read, write: Number };
}

/** `true` or `false`, and none of the words that other versions of YAML take for them. */
export const truth: ValueType<boolean> = {
  placeholder: "true|false",
  bound: "true or false",
  schema: { type: "boolean" },
  fromText: (text) => (text === "true" || text === "false" ? text === "true" : text),
  read: (raw) => (typeof raw === "boolean" ? { value: raw } : { problem: "must be true or false" }),
  write: Boolean,
};

/** A duration within two bounds, both given and returned in milliseconds. */
export function duration(minMs: number, maxMs: number): ValueType<number> {
  const bound = `>= ${formatDuration(minMs)} and <= ${formatDuration(maxMs)}`;
  const read = (raw: unknown): Reading<number> => {
    const ms = typeof raw === "string" || typeof raw === "number" ? parseDuration(String(raw)) : undefined;
    if (ms === undefined) return { problem: `must be a duration such as 600, 500ms or 10m, ${bound}` };
    return ms < minMs || ms > maxMs ? { problem: `must be ${bound}` } : { value: ms };
  };
  const schema = { type: ["string", "integer"], pattern: DURATION.source, minimum: 0 };
  return { placeholder: "duration", bound, schema, fromText: String, read, write: formatDuration };
}

/** A hundred years of 365.25 days: more is a mistyped number, and `never` can be said. */
const LONGEST_LIFE_MS = 3_155_760_000_000;

const SHORTEST_LIFE_MS = 1_000;

/** How long a key lives in milliseconds; undefined for `never`, which is no end. */
export const lifetime: ValueType<number | undefined> = orNever(duration(SHORTEST_LIFE_MS, LONGEST_LIFE_MS));

/** Less would be a mistake that cannot be undone: a number without a unit is in seconds. */
const SHORTEST_RETENTION_MS = 86_400_000;

/** How long something is kept in milliseconds; undefined: it is never removed. */
export const retention: ValueType<number | undefined> = orNever(duration(SHORTEST_RETENTION_MS, LONGEST_LIFE_MS));

/** Whoever wants connections to move on wants that this week; the timers of `grpc-js` end at 24 days. */
const LONGEST_CONNECTION_MS = 7 * 86_400_000;

/** How old a connection becomes in milliseconds; undefined: as old as its peer likes. */
export const connectionAge: ValueType<number | undefined> = orNever(duration(SHORTEST_LIFE_MS, LONGEST_CONNECTION_MS));

/** Longer is no tolerance any more: a revoked key would open all day. */
const LONGEST_STALENESS_MS = 86_400_000;

/** How stale may be what is served, in milliseconds. */
export const staleness: ValueType<number> = duration(0, LONGEST_STALENESS_MS);

function orNever({ bound, schema, read, ...type }: ValueType<number>): ValueType<number | undefined> {
  return {
    ...type,
    bound: `${bound}, or never`,
    schema: { anyOf: [{ const: "never" }, schema] },
    read: (raw) => (raw === "never" ? { value: undefined } : read(raw)),
    write: (ms) => (ms === undefined ? "never" : formatDuration(ms)),
  };
}

/** Text of a certain form. */
export function text(placeholder: string, bound: string, check: (text: string) => Reading<string>): ValueType<string> {
  const read = (raw: unknown): Reading<string> => {
    const reading = readText(raw);
    return "problem" in reading ? reading : check(reading.value);
  };
  return { placeholder, bound, schema: { type: "string", minLength: 1 }, fromText: String, read, write: String };
}

/** The address of a listener, undefined for `off`. */
export const address: ValueType<Address | undefined> = {
  placeholder: "address",
  bound: ADDRESS_BOUND,
  schema: { type: "string", pattern: "^(off|unix:.+|.+:\\d+)$" },
  fromText: String,
  read: (raw) => (typeof raw === "string" ? readAddress(raw) : { problem: `must be ${ADDRESS_BOUND}` }),
  write: formatAddress,
};

const UNIX_ADDRESS_BOUND = "unix:PATH or off";

const NOT_UNIX = { problem: `must be ${UNIX_ADDRESS_BOUND}` };

/** The address of a listener that is only ever a socket in the file system, whose mode says who may open it. */
export const unixAddress: ValueType<Extract<Address, { kind: "unix" }> | undefined> = {
  placeholder: "address",
  bound: UNIX_ADDRESS_BOUND,
  schema: { type: "string", pattern: "^(off|unix:.+)$" },
  fromText: String,
  read: (raw) => {
    const reading = address.read(raw);
    if ("problem" in reading) return typeof raw === "string" && raw.startsWith("unix:") ? reading : NOT_UNIX;
    return reading.value?.kind === "tcp" ? NOT_UNIX : { value: reading.value };
  },
  write: formatAddress,
};

/** The name of a header that tells the back end who calls. */
export const headerName: ValueType<string> = text("name", HEADER_NAME_BOUND, readHeaderName);

/** The path of a file. Spaces around it are refused: SQLite's binding would drop them, and another file be opened. */
export const filePath: ValueType<string> = text("file", "the path of a file", (path) =>
  /^\P{Cc}+$/u.test(path) && path.trim() === path && path !== ":memory:"
    ? { value: path }
    : { problem: "must be the path of a file" },
);

const PARTY_BOUND = '1 to 200 visible ASCII characters without " and \\, and a URI where it holds a colon';

/** Who issues a token, or for whom: a StringOrURI (RFC 7519 §2). */
export const party: ValueType<string> = text("text", PARTY_BOUND, (name) =>
  /^[!#-[\]-~]{1,200}$/.test(name) && (!name.includes(":") || URL.canParse(name))
    ? { value: name }
    : { problem: `must be ${PARTY_BOUND}` },
);

const ISSUER_URL_BOUND = "an https URL without query and fragment; on this machine also http";

/** A URL from which what is fetched can be trusted: nobody can change it on its way. */
export const issuerUrl: ValueType<string> = text("url", ISSUER_URL_BOUND, (url) =>
  isTrustworthyUrl(url) ? { value: url } : { problem: `must be ${ISSUER_URL_BOUND}` },
);

/** Whether what comes from a URL comes as it was sent: by https, or from this machine. */
export function isTrustworthyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username } = new URL(text);
  const isHere = protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  return (protocol === "https:" || isHere) && search === "" && hash === "" && username === "";
}

import { z } from "zod";
import type { CredentialSource } from "../check/credential.ts";
import type { RouteConfig, ScopeConfig, StaleConfig } from "../policy/config.ts";
import type { AdminIdentityConfig } from "./admin-identities.ts";
import { nearest } from "./nearest.ts";
import { readText, show } from "./reading.ts";
import type { TenantConfig } from "./tenants.ts";
import { staleness } from "./value-type.ts";

/** The parts of the file that are lists or mappings of their own, by their key. */
export interface Structures {
  readonly credentials?: readonly CredentialSource[];
  readonly routes?: readonly RouteConfig[];
  readonly scopes?: Readonly<Record<string, ScopeConfig>>;
  readonly tenants?: Readonly<Record<string, TenantConfig>>;
  readonly admin_identities?: readonly AdminIdentityConfig[];
}

/** What is wrong in a structure, and where: `["routes", 0, "path"]`, or `["routes"]` for the list itself. */
interface Fault {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

const text = z.string({
  error: ({ input }) => {
    const reading = readText(input);
    return "problem" in reading ? reading.problem : undefined;
  },
});

const texts = z.array(text, "must be a list");

/** Tokens of RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const token = text.regex(TOKEN, "must be a token (letters, digits and !#$%&'*+.^_`|~-)");

const lowerCaseToken = token.transform((name) => name.toLowerCase());

/** Names of query parameters: what could end one, or be written in two ways, is no part of a name. */
const parameterName = text.regex(/^[A-Za-z0-9_.~-]{1,64}$/, "must be 1 to 64 of A-Z, a-z, 0-9 and _ . ~ -");

/** ASCII, because clients do not agree on how they encode anything else (RFC 7617 §2.1). */
const username = text.regex(/^[ -9;-~]{1,200}$/, 'must be 1 to 200 ASCII characters without ":" and controls');

const SOURCES = {
  bearer: {},
  scheme: { name: lowerCaseToken },
  header: { name: lowerCaseToken },
  basic: { username },
  query: { name: parameterName },
  cookie: { name: token },
} satisfies { readonly [From in CredentialSource["from"]]: object };

const FROM_BOUND = `must be one of ${Object.keys(SOURCES).join(", ")}`;

const credential = z.discriminatedUnion(
  "from",
  [
    z.strictObject({ from: z.literal("bearer") }),
    z.strictObject({ from: z.literal("scheme"), ...SOURCES.scheme }),
    z.strictObject({ from: z.literal("header"), ...SOURCES.header }),
    z.strictObject({ from: z.literal("basic"), ...SOURCES.basic }),
    z.strictObject({ from: z.literal("query"), ...SOURCES.query }),
    z.strictObject({ from: z.literal("cookie"), ...SOURCES.cookie }),
  ],
  `must say from: one of ${Object.keys(SOURCES).join(", ")}`,
);

const serveFor = z
  .unknown()
  .meta(staleness.schema)
  .transform((raw, context) => {
    const reading = staleness.read(raw);
    if ("value" in reading) return reading.value;
    context.addIssue(reading.problem);
    return z.NEVER;
  });

const stale = z.strictObject(
  // biome-ignore lint/suspicious/noThenProperty: a key of the configuration, and no function.
  { serve_for: serveFor, then: z.literal("deny", "must be deny").optional() } satisfies Record<
    keyof StaleConfig,
    z.ZodType
  >,
  "must be a mapping",
);

const route = z.strictObject(
  {
    path: text,
    host: text.optional(),
    methods: texts.optional(),
    access: z.enum(["public", "authenticated", "deny"], "must be one of public, authenticated, deny").optional(),
    scopes: texts.optional(),
    match: z.enum(["any", "all"], "must be one of any, all").optional(),
    tenant: text.optional(),
    owner: text.optional(),
    forward_credential: z.boolean("must be true or false").optional(),
    stale: stale.optional(),
  } satisfies Record<keyof RouteConfig, z.ZodType>,
  "must be a mapping",
);

const scope = z.strictObject(
  { description: text.optional(), implies: texts.optional() } satisfies Record<keyof ScopeConfig, z.ZodType>,
  "must be a mapping",
);

const tenant = z.strictObject(
  { grantable_scopes: texts.optional(), prefix: text.optional() } satisfies Record<keyof TenantConfig, z.ZodType>,
  "must be a mapping",
);

const adminIdentity = z.strictObject(
  {
    certificate: text.optional(),
    claims: z.record(z.string(), text, "must be a mapping").optional(),
    scopes: texts,
    tenant: text.optional(),
    owner: text.optional(),
    grantable_scopes: texts.optional(),
  } satisfies Record<keyof AdminIdentityConfig, z.ZodType>,
  "must be a mapping",
);

/** A mapping of names to entries, of which nothing need be said. */
function byName<Entry extends z.ZodType>(entry: Entry) {
  return z.record(
    z.string(),
    entry.nullable().transform((raw) => raw ?? {}),
    "must be a mapping",
  );
}

const SHAPES = {
  credentials: z
    .array(credential, "must be a list")
    .min(1, "must name at least one place; leave it out for the usual ones"),
  routes: z.array(route, "must be a list"),
  scopes: byName(scope),
  tenants: byName(tenant),
  admin_identities: z.array(adminIdentity, "must be a list"),
} satisfies { readonly [Key in keyof Structures]-?: z.ZodType };

/** The names of the structures. */
export const STRUCTURE_KEYS = Object.keys(SHAPES) as readonly (keyof Structures)[];

/** What each structure is for, in a sentence. */
export const STRUCTURE_USES = {
  credentials: "Where a key may be presented, and in which of them it is looked for.",
  routes: "What each request needs; the first that matches wins.",
  scopes: "The scopes there are, and which come with others. Unset: any text of the form of a scope is one.",
  tenants:
    "What an admin key that is bound to a tenant may grant there, and what the tenant's new keys begin with. Unset: nothing, and `kw`.",
  admin_identities:
    "Whom the admin API knows by a client certificate or a token, and what they may do; the first that fits counts.",
} as const satisfies Record<keyof Structures, string>;

/** The keys of one entry of a structure, for people. */
export const ENTRY_KEYS = {
  credentials: ["from", "name", "username"],
  routes: Object.keys(route.shape),
  scopes: Object.keys(scope.shape),
  tenants: Object.keys(tenant.shape),
  admin_identities: Object.keys(adminIdentity.shape),
} as const satisfies Record<keyof Structures, readonly string[]>;

/** What a structure may be, as JSON Schema (draft 7). */
export function structureSchema(key: keyof Structures): object {
  const { $schema: _, ...schema } = z.toJSONSchema(SHAPES[key], { io: "input", target: "draft-7" });
  return schema;
}

/** Whether a key of the file holds a structure. */
export function isStructure(key: string): key is keyof Structures {
  return (STRUCTURE_KEYS as readonly string[]).includes(key);
}

/** Reads a structure as YAML gives it. Judges the shape only: what the entries mean is the business of others. */
export function readStructure(
  key: keyof Structures,
  raw: unknown,
): { readonly value: Structures } | { readonly faults: readonly Fault[] } {
  const result = SHAPES[key].safeParse(raw);
  return result.success
    ? { value: { [key]: result.data } }
    : { faults: result.error.issues.flatMap((issue) => toFaults(key, issue, raw)) };
}

/** Names a place in a structure as programmers would: `routes[0].methods[1]`. */
export function placeName(at: readonly PropertyKey[]): string {
  return at
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${String(step)}`))
    .join("");
}

function toFaults(key: keyof Structures, issue: z.core.$ZodIssue, raw: unknown): Fault[] {
  const at = [key, ...issue.path];
  if (issue.code === "unrecognized_keys") return issue.keys.map((unknown) => unknownKey(key, at, unknown));
  const value = issue.path.reduce<unknown>((inside, step) => Object(inside)[step], raw);
  if (value === undefined && at.length > 1) return [{ at, message: missing(at, issue) }];
  const message = issue.code === "invalid_union" && at.at(-1) === "from" ? FROM_BOUND : issue.message;
  return [{ at, message: `${placeName(at)} ${show(value)} ${message}` }];
}

function missing(at: readonly PropertyKey[], issue: z.core.$ZodIssue): string {
  const parent = placeName(at.slice(0, -1));
  return issue.code === "invalid_union" ? `${parent} ${issue.message}` : `${parent} has no ${String(at.at(-1))}`;
}

function unknownKey(key: keyof Structures, at: readonly PropertyKey[], unknown: string): Fault {
  const meant = nearest(unknown, ENTRY_KEYS[key]);
  // A key of another kind of place is spelt right, and still has no meaning here.
  const hint = meant === undefined || meant === unknown ? "" : ` (did you mean ${show(meant)}?)`;
  return { at: [...at, unknown], message: `unknown key ${show(unknown)} in ${placeName(at)}${hint}` };
}

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { readPath } from "../check/path.ts";
import {
  CreateAdminKeyRequestSchema,
  RevokeAdminKeyRequestSchema,
} from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import {
  type CreateKeyRequest,
  CreateKeyRequestSchema,
  GetKeyRequestSchema,
  ListKeysRequestSchema,
  RevokeKeyRequestSchema,
} from "../gen/keyward/admin/v1/key_service_pb.ts";
import { isScope } from "../key/scope.ts";
import { holdsSecret } from "../key/secret.ts";
import { ADMIN_SCOPES, isAdminScope } from "./admin-scope.ts";
import type { FieldViolation } from "./errors.ts";
import { parseKeyFilter } from "./key-filter.ts";

/** Says what is wrong with a value, as a phrase that follows the field's name; undefined: nothing. */
type Rule<Value, Request> = (value: Value, request: Request, nowMs: number) => string | undefined;

/** A rule for each field that has a bound; for a list, the rule of its items beside that of the list. */
type Rules<Request> = {
  readonly [Field in keyof Request]?: Request[Field] extends readonly (infer Item)[]
    ? { readonly list: Rule<Request[Field], Request>; readonly each: Rule<Item, Request> }
    : Rule<Request[Field], Request>;
};

const MAX_NAME_LENGTH = 200;
const MAX_NOTE_LENGTH = 2_000;
const MAX_REASON_LENGTH = 500;
const MAX_SCOPES = 100;
const MAX_PATHS = 50;
const MAX_PATH_LENGTH = 1_024;
/** 100 years of 365.25 days: more is a mistyped number, and "never" can be said. */
const MAX_LIFETIME_SECONDS = 3_155_760_000;
/** The year 10000, where RFC 3339 and google.protobuf.Timestamp end. */
const END_OF_TIME_MS = Date.UTC(10_000, 0, 1);
/** A whole key of the longest prefix is 82 characters. */
const MAX_KEY_NAME_LENGTH = 100;

const createKey: Rules<CreateKeyRequest> = {
  name: (name) => required(name) ?? plainText(name, MAX_NAME_LENGTH),
  tenant: (tenant) =>
    matches(tenant, /^[a-z0-9][a-z0-9_-]{0,62}$/, `1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit`),
  owner: (owner) =>
    matches(owner, OWNER, `"user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -`),
  note: (note) =>
    /[^\P{Cc}\n\r\t]/u.test(note)
      ? "must hold no control characters but line breaks and tabs"
      : atMost(note, MAX_NOTE_LENGTH),
  scopes: { list: (scopes) => fewerThan([...new Set(scopes)], MAX_SCOPES), each: scope },
  paths: { list: (paths) => fewerThan(paths, MAX_PATHS), each: openedPath },
  notBefore: (notBefore) => notBefore && pointInTime(notBefore),
  expiry: (expiry, { notBefore }, nowMs) => {
    if (expiry.case === undefined) return undefined;
    const endMs = expiryMs(expiry, nowMs);
    if (expiry.case === "expiresIn") {
      const { seconds, nanos } = expiry.value;
      if (nanos !== 0 || seconds < 1n || seconds > MAX_LIFETIME_SECONDS) {
        return `must be whole seconds >= 1 and <= ${MAX_LIFETIME_SECONDS}`;
      }
    } else {
      const problem = pointInTime(expiry.value);
      if (problem !== undefined) return problem;
      if (endMs <= nowMs) return `${new Date(endMs).toISOString()} must be in the future`;
    }
    return notBefore && timestampMs(notBefore) >= endMs ? "must be later than not_before" : undefined;
  },
};

/** The time at which a key of such an expiry ends. */
export function expiryMs(expiry: Exclude<CreateKeyRequest["expiry"], { case: undefined }>, nowMs: number): number;
export function expiryMs(expiry: CreateKeyRequest["expiry"], nowMs: number): number | undefined;
export function expiryMs(expiry: CreateKeyRequest["expiry"], nowMs: number): number | undefined {
  if (expiry.case === "expiresAt") return timestampMs(expiry.value);
  return expiry.case === "expiresIn" ? nowMs + durationMs(expiry.value) : undefined;
}

const keyName = (key: string) => required(key) ?? atMost(key, MAX_KEY_NAME_LENGTH);

/** Every bound that the proto comments state, by message. What is not here has none. */
const RULES: ReadonlyMap<string, Rules<never>> = new Map([
  rulesOf(CreateKeyRequestSchema, createKey),
  rulesOf(GetKeyRequestSchema, { key: keyName }),
  rulesOf(ListKeysRequestSchema, {
    pageSize: (pageSize) => (pageSize < 0 ? `${pageSize} must be >= 0` : undefined),
    filter: (filter) => {
      const parsed = parseKeyFilter(filter);
      return typeof parsed === "string" ? parsed : undefined;
    },
  }),
  rulesOf(RevokeKeyRequestSchema, { key: keyName, reason: (reason) => plainText(reason, MAX_REASON_LENGTH) }),
  rulesOf(CreateAdminKeyRequestSchema, {
    name: (name) => required(name) ?? plainText(name, MAX_NAME_LENGTH),
    scopes: {
      list: () => undefined,
      each: (scope) => (isAdminScope(scope) ? undefined : `"${scope}" must be one of ${ADMIN_SCOPES.join(", ")}`),
    },
  }),
  rulesOf(RevokeAdminKeyRequestSchema, { key: keyName }),
]);

/** Everything in a request that is not as its proto comment says it must be. Fields are named as in the proto. */
export function violationsIn(schema: DescMessage, request: object, nowMs: number): FieldViolation[] {
  const violations: FieldViolation[] = [];
  const report = (field: string, description: string | undefined) => {
    if (description !== undefined) violations.push({ field, description });
  };
  const values = request as Readonly<Record<string, unknown>>;
  const pasted = Object.keys(values).filter((field) => field !== "key" && isPasted(values[field]));
  for (const field of pasted) {
    report(protoName(schema, field, values[field]), "holds a whole key, which would be stored in the clear");
  }
  for (const [field, rule] of Object.entries<AnyRule>(RULES.get(schema.typeName) ?? {})) {
    // Whatever else is wrong with it would be said with the key in quotation marks.
    if (pasted.includes(field)) continue;
    const value = values[field];
    const name = protoName(schema, field, value);
    if (typeof rule === "function") {
      report(name, rule(value, request, nowMs));
    } else {
      report(name, rule.list(value, request, nowMs));
      for (const [index, item] of (value as unknown[]).entries()) {
        report(`${name}[${index}]`, rule.each(item, request, nowMs));
      }
    }
  }
  return violations;
}

type AnyRule = Rule<unknown, object> | { list: Rule<unknown, object>; each: Rule<unknown, object> };

function rulesOf<Schema extends DescMessage>(
  schema: Schema,
  rules: Rules<MessageShape<Schema>>,
): [string, Rules<never>] {
  return [schema.typeName, rules as Rules<never>];
}

/** A field as the proto writes it; of a oneof, the member that is set. */
function protoName(schema: DescMessage, localName: string, value: unknown): string {
  const member = schema.oneofs.some((oneof) => oneof.localName === localName)
    ? (value as { case?: string }).case
    : localName;
  return schema.fields.find((field) => field.localName === member)?.name ?? localName;
}

const OWNER = /^(user|service|project)\/[A-Za-z0-9._@+-]{1,128}$/;

function required(text: string): string | undefined {
  return text === "" ? "is required" : undefined;
}

function atMost(text: string, bound: number): string | undefined {
  const length = [...text].length;
  return length > bound ? `has ${length} characters; it must have <= ${bound}` : undefined;
}

function plainText(text: string, bound: number): string | undefined {
  return /\p{Cc}/u.test(text) ? "must hold no control characters" : atMost(text, bound);
}

function matches(text: string, pattern: RegExp, form: string): string | undefined {
  return text === "" || pattern.test(text) ? undefined : `${quote(text)} must be ${form}`;
}

function fewerThan(list: readonly unknown[], bound: number): string | undefined {
  return list.length > bound ? `has ${list.length} items; it must have <= ${bound}` : undefined;
}

function scope(text: string): string | undefined {
  if (isScope(text)) return undefined;
  return `${quote(text)} must be 1 to 128 visible ASCII characters without " \\ and ",", with "*" only as the whole last segment`;
}

function openedPath(text: string): string | undefined {
  const path = text.startsWith("=") ? text.slice(1) : text;
  if (!path.startsWith("/")) return `${quote(text)} must begin with "/" or "=/"`;
  if (path.length > MAX_PATH_LENGTH) return `has ${path.length} characters; it must have <= ${MAX_PATH_LENGTH}`;
  if (path.endsWith("/") && path !== "/") return `${quote(text)} must not end with "/"`;
  if (path.includes("?") || readPath(path, true) === undefined)
    return `${quote(text)} can be read in more than one way`;
  return undefined;
}

function pointInTime(time: Timestamp): string | undefined {
  const ms = timestampMs(time);
  return ms < 0 || ms >= END_OF_TIME_MS ? "must be from 1970 to 9999" : undefined;
}

/** Whether a text, or one of a list, has a key of ours in it: somebody pasted it into the wrong place. */
function isPasted(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isPasted) : typeof value === "string" && holdsSecret(value);
}

/** What the caller wrote, short enough for a sentence. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CreateAdminKeyRequestSchema,
  RevokeAdminKeyRequestSchema,
} from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import {
  type CreateKeyRequest,
  CreateKeyRequestSchema,
  DisableKeyRequestSchema,
  EnableKeyRequestSchema,
  GetKeyRequestSchema,
  ListKeysRequestSchema,
  RevokeKeyRequestSchema,
  RotateKeyRequestSchema,
  type UpdateKeyRequest,
  UpdateKeyRequestSchema,
} from "../gen/keyward/admin/v1/key_service_pb.ts";
import { ADMIN_SCOPES, isAdminScope } from "./admin-scope.ts";
import type { FieldViolation } from "./errors.ts";
import { expiryMs } from "./expiry.ts";
import { endless, expiryProblem, pointInTime, tooLong } from "./expiry-rules.ts";
import { parseKeyFilter } from "./key-filter.ts";
import type { RuleContext } from "./rule-context.ts";
import {
  atMost,
  fewerThan,
  isPasted,
  matches,
  methodName,
  network,
  openedPath,
  plainText,
  quote,
  required,
  scope,
} from "./value-rules.ts";

/** Says what is wrong with a value, as a phrase that follows the field's name; undefined: nothing. */
type Rule<Value, Request> = (value: Value, request: Request, context: RuleContext) => string | undefined;

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
const MAX_METHODS = 20;
const MAX_CIDRS = 50;
/** A year of 365.25 days. */
const MAX_GRACE_SECONDS = 31_557_600;
/** A whole key of the longest prefix is 82 characters. */
const MAX_KEY_NAME_LENGTH = 100;

/** The fields of a key that administrators set, in CreateKey as in UpdateKey. */
const keyFields = {
  name: (name: string) => required(name) ?? plainText(name, MAX_NAME_LENGTH),
  note: (note: string) =>
    /[^\P{Cc}\n\r\t]/u.test(note)
      ? "must hold no control characters but line breaks and tabs"
      : atMost(note, MAX_NOTE_LENGTH),
  scopes: { list: (scopes: string[]) => fewerThan([...new Set(scopes)], MAX_SCOPES), each: scope },
  paths: { list: (paths: string[]) => fewerThan(paths, MAX_PATHS), each: openedPath },
  methods: { list: (methods: string[]) => fewerThan(methods, MAX_METHODS), each: methodName },
  cidrs: { list: (cidrs: string[]) => fewerThan(cidrs, MAX_CIDRS), each: network },
  notBefore: (notBefore: Timestamp | undefined) => notBefore && pointInTime(notBefore),
} satisfies Rules<CreateKeyRequest> & Rules<UpdateKeyRequest>;

const createKey: Rules<CreateKeyRequest> = {
  ...keyFields,
  tenant: (tenant) =>
    matches(tenant, /^[a-z0-9][a-z0-9_-]{0,62}$/, `1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit`),
  owner: (owner) =>
    matches(owner, OWNER, `"user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -`),
  expiry: (expiry, { notBefore }, context) => {
    const problem = expiryProblem(expiry, context);
    const endMs = expiryMs(expiry, context.nowMs);
    if (problem !== undefined || notBefore === undefined || endMs === undefined) return problem;
    return timestampMs(notBefore) >= endMs ? "must be later than not_before" : undefined;
  },
  requestId,
};

const UPDATABLE = ["name", "note", "scopes", "paths", "methods", "cidrs", "not_before", "expires_at"];

const updateKey: Rules<UpdateKeyRequest> = {
  key: keyName,
  updateMask: (mask) => {
    if (mask === undefined || mask.paths.length === 0) return `must name one or more of ${UPDATABLE.join(", ")}`;
    const unknown = mask.paths.find((path) => !UPDATABLE.includes(path));
    return unknown === undefined ? undefined : `names ${quote(unknown)}; it can name ${UPDATABLE.join(", ")}`;
  },
  ...onlyIfMasked(keyFields),
  expiresAt: (expiresAt, { updateMask }, { nowMs, maxLifetimeMs }) => {
    if (!updateMask?.paths.includes("expires_at")) return undefined;
    if (expiresAt === undefined) return endless(maxLifetimeMs);
    return pointInTime(expiresAt) ?? tooLong(timestampMs(expiresAt), nowMs, maxLifetimeMs);
  },
};

/** Every bound that the proto comments state, by message. What is not here has none. */
const RULES: ReadonlyMap<string, Rules<never>> = new Map([
  rulesOf(CreateKeyRequestSchema, createKey),
  rulesOf(UpdateKeyRequestSchema, updateKey),
  rulesOf(GetKeyRequestSchema, { key: keyName }),
  rulesOf(DisableKeyRequestSchema, { key: keyName }),
  rulesOf(EnableKeyRequestSchema, { key: keyName }),
  rulesOf(ListKeysRequestSchema, {
    pageSize: (pageSize) => (pageSize < 0 ? `${pageSize} must be >= 0` : undefined),
    filter: (filter) => {
      const parsed = parseKeyFilter(filter);
      return typeof parsed === "string" ? parsed : undefined;
    },
  }),
  rulesOf(RevokeKeyRequestSchema, { key: keyName, reason: (reason) => plainText(reason, MAX_REASON_LENGTH) }),
  rulesOf(RotateKeyRequestSchema, {
    key: keyName,
    grace: (grace) => {
      if (grace === undefined) return undefined;
      const { seconds, nanos } = grace;
      const sound = nanos === 0 && seconds >= 0n && seconds <= MAX_GRACE_SECONDS;
      return sound ? undefined : `must be whole seconds >= 0 and <= ${MAX_GRACE_SECONDS}`;
    },
    expiry: (expiry, _, context) => (expiry.case === undefined ? undefined : expiryProblem(expiry, context)),
    requestId,
  }),
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
export function violationsIn(schema: DescMessage, request: object, context: RuleContext): FieldViolation[] {
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
      report(name, rule(value, request, context));
    } else {
      report(name, rule.list(value, request, context));
      for (const [index, item] of (value as unknown[]).entries()) {
        report(`${name}[${index}]`, rule.each(item, request, context));
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

/** The rules of CreateKey for an update: a field that the mask does not name is not looked at. */
function onlyIfMasked(rules: typeof keyFields): Rules<UpdateKeyRequest> {
  const named = (field: string, { updateMask }: UpdateKeyRequest) =>
    updateMask?.paths.includes(snakeCase(field)) ?? false;
  const masked = Object.entries<AnyRule>(rules as unknown as Record<string, AnyRule>).map(([field, rule]) => {
    const only =
      (inner: Rule<unknown, object>): Rule<unknown, UpdateKeyRequest> =>
      (value, request, context) =>
        named(field, request) ? inner(value, request, context) : undefined;
    return [field, typeof rule === "function" ? only(rule) : { list: only(rule.list), each: only(rule.each) }];
  });
  return Object.fromEntries(masked) as Rules<UpdateKeyRequest>;
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const OWNER = /^(user|service|project)\/[A-Za-z0-9._@+-]{1,128}$/;

function keyName(key: string): string | undefined {
  return required(key) ?? atMost(key, MAX_KEY_NAME_LENGTH);
}

function requestId(id: string): string | undefined {
  return matches(id, /^[A-Za-z0-9_-]{1,100}$/, `1 to 100 of A-Z, a-z, 0-9, "-" and "_"`);
}

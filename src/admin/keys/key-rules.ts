import { type Duration, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { KeyFormat, KeyFormatSchema, type RateLimit } from "../../gen/keyward/admin/v1/key_pb.ts";
import {
  type CreateKeyRequest,
  CreateKeyRequestSchema,
  DisableKeyRequestSchema,
  EnableKeyRequestSchema,
  GetKeyRequestSchema,
  ImportKeysRequestSchema,
  ListKeysRequestSchema,
  RevokeKeyRequestSchema,
  RotateKeyRequestSchema,
  type UpdateKeyRequest,
  UpdateKeyRequestSchema,
} from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { isPrefix, PREFIX_FORM } from "../../key/secret.ts";
import { maskOf, onlyIfMasked, type PartProblem, type Problem, type Rules, rulesOf } from "../rules/rule.ts";
import {
  atMost,
  fewerThan,
  keyName,
  matches,
  methodName,
  name,
  network,
  openedPath,
  ownerName,
  plainText,
  quote,
  required,
  scopeList,
  signingAlg,
  tenantName,
} from "../rules/value-rules.ts";
import { expiryMs } from "./expiry.ts";
import { endless, expiryProblem, pointInTime } from "./expiry-rules.ts";
import { parseKeyFilter } from "./key-filter.ts";
import { graceSeconds } from "./successor.ts";

const MAX_NOTE_LENGTH = 2_000;
const MAX_REASON_LENGTH = 500;
const MAX_PATHS = 50;
const MAX_METHODS = 20;
const MAX_CIDRS = 50;
const MAX_METADATA = 50;
const MAX_METADATA_VALUE_LENGTH = 500;
/** A year of 365.25 days. */
const MAX_GRACE_SECONDS = 31_557_600;
/** More than a thousand a millisecond: who needs more needs no limit. */
const MAX_RATE_REQUESTS = 1_000_000;
/** 31 days, a quota of a month. */
const MAX_RATE_WINDOW_SECONDS = 2_678_400;

/** The fields of a key that administrators set, in CreateKey as in UpdateKey. */
const keyFields = {
  name: (text: string) => required(text) ?? name(text),
  note: (note: string) =>
    /[^\P{Cc}\n\r\t]/u.test(note)
      ? "must hold no control characters but line breaks and tabs"
      : atMost(note, MAX_NOTE_LENGTH),
  metadata,
  scopes: scopeList,
  inheritScopes: (inherit: boolean, { scopes }: { readonly scopes: readonly string[] }) =>
    inherit && scopes.length > 0 ? "contradicts scopes: a key has those of its owner, or its own" : undefined,
  paths: { list: (paths: string[]) => fewerThan(paths, MAX_PATHS), each: openedPath },
  methods: { list: (methods: string[]) => fewerThan(methods, MAX_METHODS), each: methodName },
  cidrs: { list: (cidrs: string[]) => fewerThan(cidrs, MAX_CIDRS), each: network },
  notBefore: (notBefore: Timestamp | undefined) => notBefore && pointInTime(notBefore),
  rateLimit,
} satisfies Rules<CreateKeyRequest> & Rules<UpdateKeyRequest>;

const createKey: Rules<CreateKeyRequest> = {
  ...keyFields,
  tenant: tenantName,
  owner: ownerName,
  inheritScopes: (inherit, request, { callerOwner }) =>
    inherit && request.owner === "" && callerOwner === undefined
      ? "needs an owner to inherit from"
      : keyFields.inheritScopes(inherit, request),
  expiry: (expiry, { notBefore }, context) => {
    const problem = expiryProblem(expiry, context);
    const endMs = expiryMs(expiry, context.nowMs);
    if (problem !== undefined || notBefore === undefined || endMs === undefined) return problem;
    return timestampMs(notBefore) >= endMs ? "must be later than not_before" : undefined;
  },
  prefix: (prefix, { format }) =>
    prefix !== "" && format === KeyFormat.JWT
      ? "is for opaque keys: a signed one begins as its token does"
      : matches(prefix, { test: isPrefix }, PREFIX_FORM),
  format: (format) => (KeyFormatSchema.value[format] === undefined ? `${format} must be a KeyFormat` : undefined),
  alg: (alg, { format }) =>
    alg !== "" && format !== KeyFormat.JWT ? "is for signed keys: it needs the format JWT" : signingAlg(alg),
  requestId,
};

const UPDATABLE = [
  "name",
  "note",
  "metadata",
  "scopes",
  "inherit_scopes",
  "paths",
  "methods",
  "cidrs",
  "not_before",
  "expires_at",
  "rate_limit",
];

const updateKey: Rules<UpdateKeyRequest> = {
  key: keyName,
  updateMask: maskOf(UPDATABLE),
  ...onlyIfMasked<UpdateKeyRequest>({
    ...keyFields,
    inheritScopes: (inherit, request) =>
      request.updateMask?.paths.includes("scopes") ? keyFields.inheritScopes(inherit, request) : undefined,
  }),
  expiresAt: (expiresAt, { updateMask }, { maxLifetimeMs }) => {
    if (!updateMask?.paths.includes("expires_at")) return undefined;
    if (expiresAt === undefined) return endless(maxLifetimeMs);
    return pointInTime(expiresAt);
  },
};

/** 1,000 usual keys are some 200 KB, well within a request. */
const MAX_IMPORTED_KEYS = 1_000;

/** The bounds of KeyService. */
export const KEY_RULES = [
  rulesOf(CreateKeyRequestSchema, createKey),
  rulesOf(UpdateKeyRequestSchema, updateKey),
  rulesOf(GetKeyRequestSchema, { key: keyName }),
  rulesOf(ImportKeysRequestSchema, {
    source: (source) => required(source) ?? matches(source, /^[a-z0-9-]{1,32}$/, '1 to 32 of a-z, 0-9 and "-"'),
    // What is wrong with one of them is told by its line (import-keys.ts).
    keys: { list: (keys) => fewerThan(keys, MAX_IMPORTED_KEYS), each: () => undefined },
    validateOnly: (validateOnly, { commit }) =>
      validateOnly && !commit ? "needs commit: keys that only wait are judged anyway" : undefined,
  }),
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
    grace: (grace) => (grace === undefined ? undefined : wholeSeconds(grace, 0, MAX_GRACE_SECONDS)),
    untilQuiet: (untilQuiet, request) =>
      untilQuiet && wholeSeconds(untilQuiet, 1, Math.min(Number(graceSeconds(request)), MAX_GRACE_SECONDS)),
    expiry: (expiry, _, context) => (expiry.case === undefined ? undefined : expiryProblem(expiry, context)),
    requestId,
  }),
];

function metadata(entries: Readonly<Record<string, string>>): Problem {
  const names = Object.keys(entries);
  const odd = names.find((text) => !/^[A-Za-z0-9._/-]{1,64}$/.test(text));
  if (odd !== undefined) return `has the name ${quote(odd)}; it must be 1 to 64 of A-Z, a-z, 0-9 and . _ / -`;
  const values = Object.entries(entries).flatMap(([entry, value]) =>
    inPart(`[${entry}]`, plainText(value, MAX_METADATA_VALUE_LENGTH)),
  );
  return fewerThan(names, MAX_METADATA) ?? values;
}

function rateLimit(limit: RateLimit | undefined): Problem {
  if (limit === undefined) return undefined;
  const { requests, window } = limit;
  const isWithin = requests >= 1 && requests <= MAX_RATE_REQUESTS;
  return [
    ...inPart(".requests", isWithin ? undefined : `${requests} must be >= 1 and <= ${MAX_RATE_REQUESTS}`),
    ...inPart(".window", window === undefined ? "is required" : wholeSeconds(window, 1, MAX_RATE_WINDOW_SECONDS)),
  ];
}

function inPart(part: string, problem: string | undefined): PartProblem[] {
  return problem === undefined ? [] : [{ part, problem }];
}

function wholeSeconds({ seconds, nanos }: Duration, least: number, most: number): string | undefined {
  const isWithin = nanos === 0 && seconds >= least && seconds <= most;
  return isWithin ? undefined : `must be whole seconds >= ${least} and <= ${most}`;
}

function requestId(id: string): string | undefined {
  return matches(id, /^[A-Za-z0-9_-]{1,100}$/, `1 to 100 of A-Z, a-z, 0-9, "-" and "_"`);
}

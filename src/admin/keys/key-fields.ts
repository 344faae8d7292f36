import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { readPath } from "../../check/path.ts";
import { KeyFormat } from "../../gen/keyward/admin/v1/key_pb.ts";
import type { CreateKeyRequest, UpdateKeyRequest } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { DEFAULT_SIGNING_ALG, isSigningAlg, type SigningAlg } from "../../key/signing-alg.ts";
import type { Actor } from "../../store/audit.ts";
import type { StoredKey } from "../../store/key-row.ts";
import type { KeyFields, NewKey } from "../../store/keys.ts";
import { invalidArgument } from "../errors.ts";
import { expiryMs, inWholeSeconds } from "./expiry.ts";
import { tooLong } from "./expiry-rules.ts";

/** A key to be made, before it has a secret. */
export type NewKeyFields = Omit<NewKey, "id" | "digest" | "start">;

/**
 * What a request to create a key says, with each thing written in one way: nothing twice, paths as they are compared.
 * Throws INVALID_ARGUMENT where the life that is given to a key for which nothing is said ends before the key begins.
 */
export function newKeyFields(
  request: CreateKeyRequest,
  defaultLifetimeMs: number | undefined,
  nowMs: number,
): NewKeyFields {
  const { tenant, owner, name, note, metadata, inheritScopes, notBefore, expiry } = request;
  const defaultEndMs = defaultLifetimeMs === undefined ? undefined : nowMs + defaultLifetimeMs;
  const said = {
    notBeforeMs: notBefore && timestampMs(notBefore),
    expiresAtMs: expiry.case === undefined ? defaultEndMs : expiryMs(expiry, nowMs),
  };
  const alg = algOf(request);
  const life = alg === undefined ? said : inWholeSeconds(said);
  refuseEndBeforeStart(life);
  if (life.expiresAtMs !== undefined && life.expiresAtMs <= nowMs) throw invalidArgument([ENDS_AT_ONCE]);
  return {
    tenant: tenant || undefined,
    owner: owner || undefined,
    alg,
    name,
    note,
    metadata,
    inheritsScopes: inheritScopes,
    ...listsOf(request),
    ...life,
    rateLimit: rateLimitOf(request),
  };
}

/**
 * What a key is to be after an update. Throws INVALID_ARGUMENT where it would end before it begins, or live longer than
 * `maxLifetimeMs`: counted from when it was made, or one update after the other would let it live for ever.
 */
export function updatedFields(key: StoredKey, request: UpdateKeyRequest, maxLifetimeMs: number | undefined): KeyFields {
  const named = new Set(request.updateMask?.paths);
  const asked: KeyFields = {
    name: request.name,
    note: request.note,
    metadata: request.metadata,
    // Whoever names scopes does not want those of the owner.
    inheritsScopes: named.has("inherit_scopes") && request.inheritScopes,
    ...listsOf(request),
    notBeforeMs: request.notBefore && timestampMs(request.notBefore),
    expiresAtMs: request.expiresAt && timestampMs(request.expiresAt),
    rateLimit: rateLimitOf(request),
  };
  const pick = <Field extends keyof KeyFields>(path: string, field: Field) => (named.has(path) ? asked : key)[field];
  const inheritsScopes = (named.has("inherit_scopes") || named.has("scopes") ? asked : key).inheritsScopes;
  const fields: KeyFields = {
    name: pick("name", "name"),
    note: pick("note", "note"),
    metadata: pick("metadata", "metadata"),
    scopes: inheritsScopes ? [] : pick("scopes", "scopes"),
    inheritsScopes,
    paths: pick("paths", "paths"),
    methods: pick("methods", "methods"),
    cidrs: pick("cidrs", "cidrs"),
    notBeforeMs: pick("not_before", "notBeforeMs"),
    expiresAtMs: pick("expires_at", "expiresAtMs"),
    rateLimit: pick("rate_limit", "rateLimit"),
  };
  refuseEndBeforeStart(fields);
  const problem = named.has("expires_at") && tooLong(fields.expiresAtMs ?? 0, key.createdAtMs, maxLifetimeMs);
  if (problem) throw invalidArgument([{ field: "expires_at", description: `${problem}, counted from its creation` }]);
  return fields;
}

function refuseEndBeforeStart({ notBeforeMs, expiresAtMs }: Pick<KeyFields, "notBeforeMs" | "expiresAtMs">): void {
  if (notBeforeMs === undefined || expiresAtMs === undefined || notBeforeMs < expiresAtMs) return;
  const end = new Date(expiresAtMs).toISOString();
  throw invalidArgument([{ field: "not_before", description: `must be earlier than expires_at, which is ${end}` }]);
}

/** The record that a request would make of nothing, for `validate_only`. */
export function previewOf(fields: NewKeyFields, { name: createdBy }: Actor, nowMs: number): StoredKey {
  return updatePreviewOf({ ...UNWRITTEN, createdAtMs: nowMs, createdBy, updatedAtMs: nowMs }, fields);
}

/** The record that a request would make of another, for `validate_only`. */
export function updatePreviewOf<Before extends StoredKey>(key: Before, fields: KeyFields): Before {
  const { notBeforeMs, expiresAtMs, rateLimit } = fields;
  return { ...key, ...fields, notBeforeMs, expiresAtMs, rateLimit: rateLimit && { ...rateLimit, cell: 0 } };
}

/** What a key is before anything is said of it. */
const UNWRITTEN: StoredKey = {
  id: "",
  start: "",
  name: "",
  note: "",
  metadata: {},
  tenant: undefined,
  owner: undefined,
  ownerLimits: undefined,
  scopes: [],
  inheritsScopes: false,
  paths: [],
  methods: [],
  cidrs: [],
  networks: undefined,
  rateLimit: undefined,
  alg: undefined,
  source: undefined,
  signed: false,
  notBeforeMs: undefined,
  expiresAtMs: undefined,
  revoked: false,
  disabled: false,
  disabledAtMs: undefined,
  graceEndsAtMs: undefined,
  successor: undefined,
  predecessor: undefined,
  createdAtMs: 0,
  createdBy: "",
  updatedAtMs: 0,
  revokedAtMs: undefined,
  revokedBy: undefined,
  revokeReason: undefined,
  quietAfterMs: undefined,
  usage: undefined,
  revision: 0,
};

/** What the end of a signed key is in the whole seconds of its token, where it is in the present one. */
const ENDS_AT_ONCE = { field: "expires_at", description: "must be a whole second in the future" };

/** What signs the key; undefined: it is an opaque one. Another alg than those known has been refused. */
function algOf({ format, alg }: CreateKeyRequest): SigningAlg | undefined {
  if (format !== KeyFormat.JWT) return undefined;
  return isSigningAlg(alg) ? alg : DEFAULT_SIGNING_ALG;
}

function rateLimitOf({ rateLimit }: Pick<CreateKeyRequest, "rateLimit">): KeyFields["rateLimit"] {
  return rateLimit?.window && { requests: rateLimit.requests, windowMs: durationMs(rateLimit.window) };
}

function listsOf({ scopes, paths, methods, cidrs }: Pick<CreateKeyRequest, "scopes" | "paths" | "methods" | "cidrs">) {
  return {
    scopes: [...new Set(scopes)],
    paths: [...new Set(paths.map(comparedForm))],
    methods: [...new Set(methods)],
    cidrs: [...new Set(cidrs)],
  };
}

function comparedForm(path: string): string {
  return path.startsWith("=") ? `=${readPath(path.slice(1), true)}` : `${readPath(path, true)}`;
}

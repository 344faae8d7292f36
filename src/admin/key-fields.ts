import { timestampMs } from "@bufbuild/protobuf/wkt";
import { readPath } from "../check/path.ts";
import type { CreateKeyRequest, UpdateKeyRequest } from "../gen/keyward/admin/v1/key_service_pb.ts";
import type { Actor } from "../store/audit.ts";
import type { StoredKey } from "../store/key-row.ts";
import type { KeyFields, NewKey } from "../store/keys.ts";
import { invalidArgument } from "./errors.ts";
import { expiryMs } from "./expiry.ts";

/**
 * What a request to create a key says, with each thing written in one way: nothing twice, paths as they are compared.
 * Throws INVALID_ARGUMENT where the life that is given to a key for which nothing is said ends before the key begins.
 */
export function newKeyFields(
  request: CreateKeyRequest,
  defaultLifetimeMs: number | undefined,
  nowMs: number,
): Omit<NewKey, "id" | "digest" | "start"> {
  const { tenant, owner, name, note, notBefore, expiry } = request;
  const defaultEndMs = defaultLifetimeMs === undefined ? undefined : nowMs + defaultLifetimeMs;
  const life = {
    notBeforeMs: notBefore && timestampMs(notBefore),
    expiresAtMs: expiry.case === undefined ? defaultEndMs : expiryMs(expiry, nowMs),
  };
  refuseEndBeforeStart(life);
  return {
    tenant: tenant || undefined,
    owner: owner || undefined,
    name,
    note,
    ...listsOf(request),
    ...life,
  };
}

/** What a key is to be after an update. Throws INVALID_ARGUMENT where it would end before it begins. */
export function updatedFields(key: StoredKey, request: UpdateKeyRequest): KeyFields {
  const named = new Set(request.updateMask?.paths);
  const asked: KeyFields = {
    name: request.name,
    note: request.note,
    ...listsOf(request),
    notBeforeMs: request.notBefore && timestampMs(request.notBefore),
    expiresAtMs: request.expiresAt && timestampMs(request.expiresAt),
  };
  const pick = <Field extends keyof KeyFields>(path: string, field: Field) => (named.has(path) ? asked : key)[field];
  const fields: KeyFields = {
    name: pick("name", "name"),
    note: pick("note", "note"),
    scopes: pick("scopes", "scopes"),
    paths: pick("paths", "paths"),
    methods: pick("methods", "methods"),
    cidrs: pick("cidrs", "cidrs"),
    notBeforeMs: pick("not_before", "notBeforeMs"),
    expiresAtMs: pick("expires_at", "expiresAtMs"),
  };
  refuseEndBeforeStart(fields);
  return fields;
}

function refuseEndBeforeStart({ notBeforeMs, expiresAtMs }: Pick<KeyFields, "notBeforeMs" | "expiresAtMs">): void {
  if (notBeforeMs === undefined || expiresAtMs === undefined || notBeforeMs < expiresAtMs) return;
  const end = new Date(expiresAtMs).toISOString();
  throw invalidArgument([{ field: "not_before", description: `must be earlier than expires_at, which is ${end}` }]);
}

/** The record that a request would make, for `validate_only`. */
export function previewOf(
  fields: Omit<NewKey, "id" | "digest" | "start">,
  { name: createdBy }: Actor,
  nowMs: number,
): StoredKey {
  return {
    ...fields,
    id: "",
    start: "",
    tenant: fields.tenant,
    owner: fields.owner,
    notBeforeMs: fields.notBeforeMs,
    expiresAtMs: fields.expiresAtMs,
    networks: undefined,
    revoked: false,
    disabled: false,
    graceEndsAtMs: undefined,
    disabledAtMs: undefined,
    successor: undefined,
    predecessor: undefined,
    createdAtMs: nowMs,
    createdBy,
    updatedAtMs: nowMs,
    revokedAtMs: undefined,
    revokedBy: undefined,
    revokeReason: undefined,
    revision: 0,
  };
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

import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type ImportedKey, ImportedKeySchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import type { Draft, OwnerType } from "./draft.ts";

/** What is said of all keys of an import. */
export interface Mapping {
  /** The source, in the names of metadata. */
  readonly source: string;
  /** For keys that name no tenant. */
  readonly tenant: string | undefined;
  /** What users, consumers or clients of the source become; `none`: metadata. Undefined: what the source suggests. */
  readonly ownerType: OwnerType | "none" | undefined;
}

/** A key as the API takes it. */
export function importedKey(draft: Draft, mapping: Mapping): ImportedKey {
  const { line, hash, start = "", name, tenant, note = "", scopes = [], paths = [], methods = [], cidrs = [] } = draft;
  const { notBefore, expiresAt, rateLimit, metadata = {}, disabled = false } = draft;
  const { owner, kept } = ownerOf(draft, mapping);
  return create(ImportedKeySchema, {
    line,
    hash,
    start,
    name: name ?? `${mapping.source}, line ${line}`,
    tenant: tenant ?? mapping.tenant ?? "",
    owner,
    note,
    scopes: [...scopes],
    paths: [...paths],
    methods: [...methods],
    cidrs: [...cidrs],
    metadata: { ...metadata, ...kept },
    disabled,
    ...(notBefore && { notBefore: timestampFromDate(notBefore) }),
    ...(expiresAt && { expiresAt: timestampFromDate(expiresAt) }),
    ...(rateLimit && { rateLimit: { requests: rateLimit.requests, window: durationFromMs(rateLimit.windowMs) } }),
  });
}

/** How much of a request a key takes, in bytes. */
export function sizeOf(key: ImportedKey): number {
  return toBinary(ImportedKeySchema, key).length;
}

function ownerOf({ owner }: Draft, { source, ownerType }: Mapping): { owner: string; kept: Record<string, string> } {
  if (owner === undefined) return { owner: "", kept: {} };
  if (typeof owner === "string") return { owner, kept: {} };
  const type = ownerType ?? owner.type;
  return type === "none"
    ? { owner: "", kept: { [`${source}.owner`]: owner.id } }
    : { owner: `${type}/${owner.id}`, kept: {} };
}

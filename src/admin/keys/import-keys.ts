import { hash, randomBytes } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  CreateKeyRequestSchema,
  type ImportedKey,
  type ImportKeysRequest,
  type ImportKeysResponseSchema,
  type RefusedKey,
} from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { ID_RANDOM_BYTES, writeId } from "../../key/id.ts";
import type { Board } from "../../serve/threads/board.ts";
import type { Import, ImportRow } from "../../store/imports.ts";
import type { Store } from "../../store/store.ts";
import type { Caller } from "../caller.ts";
import { enforce } from "../enforcement.ts";
import { apiError, type FieldViolation } from "../errors.ts";
import type { RuleContext } from "../rules/rule-context.ts";
import { violationsIn } from "../rules/rules.ts";
import { tenantMeant } from "../tenancy.ts";
import { newKeyFields } from "./key-fields.ts";

/** A request goes on for minutes at the most; what is older was broken off. */
const ABANDONED_AFTER_MS = 10 * 60 * 1000;

/** More than one at a time is an accident, or somebody else's; four leave room for both. */
const MAX_IMPORTS = 4;

/** Made in one transaction, for which every other change waits: some seconds. */
const MAX_KEYS = 250_000;

/** 1 KiB for each of them, which is three times what a usual key takes. */
const MAX_BYTES = 256 * 1024 * 1024;

const HASH_BYTES = { sha256: 32, sha512: 64 } as const;

/** What an import is judged by beside the key itself. */
export interface ImportRules extends Omit<RuleContext, "nowMs"> {
  readonly defaultLifetimeMs: number | undefined;
  /** Refuses a key that the caller could not grant. Throws PERMISSION_DENIED. */
  readonly judge: (key: Omit<ImportRow, "line" | "digest" | "start">, caller: Caller) => void;
}

type Answer = MessageInitShape<typeof ImportKeysResponseSchema>;

/** Takes over keys that were made elsewhere: judges those of one call, keeps them, and with `commit` makes all. */
export async function importKeys(
  request: ImportKeysRequest,
  caller: Caller,
  store: Store,
  board: Board,
  rules: ImportRules,
): Promise<Answer> {
  const nowMs = Date.now();
  const { rows, refused } = judged(request.keys, caller, rules, nowMs);
  const id = openedImport(request, caller, store, nowMs);
  const { import: current, taken } = store.stageImport(id, { rows, refusedCount: refused.length }, nowMs);
  const inOrder = new Map(request.keys.map(({ line }, index) => [line, index]));
  const told = [...refused, ...taken.map(({ line }) => refusal(line, TAKEN))].sort(
    (one, other) => (inOrder.get(one.line) ?? 0) - (inOrder.get(other.line) ?? 0),
  );
  const { refusedCount } = current;
  if (!request.commit) return { importId: id, refused: told, refusedCount };
  if (request.validateOnly || refusedCount > 0) {
    const { importedCount, ...late } = store.previewImport(id);
    store.dropImport(id);
    return { ...withLate({ refused: told, refusedCount }, late), importedCount };
  }
  const writeKeyId = () => writeId("key", nowMs, randomBytes(ID_RANDOM_BYTES));
  const { importedCount, ...late } = store.commitImport(id, writeKeyId, caller, nowMs);
  const answer = { ...withLate({ refused: told, refusedCount }, late), importedCount };
  return importedCount === 0 ? answer : { ...answer, ...(await enforce(board)) };
}

/** Whoever it belongs to is not said: the caller may not see it. */
const TAKEN = "has the same secret as another key, in the store or in this import";

type Refusal = Pick<RefusedKey, "line" | "problem">;

function refusal(line: number, problem: string): Refusal {
  return { line, problem };
}

/** Adds what was made elsewhere while the import went on. */
function withLate(
  { refused, refusedCount }: { refused: readonly Refusal[]; refusedCount: number },
  { taken, takenCount }: { taken: readonly number[]; takenCount: number },
) {
  return {
    refused: [...refused, ...taken.map((line) => refusal(line, TAKEN))],
    refusedCount: refusedCount + takenCount,
  };
}

/** The id of the import that a request goes on with, or begins. */
function openedImport(request: ImportKeysRequest, caller: Caller, store: Store, nowMs: number): string {
  const current =
    request.importId === "" ? begun(request, caller, store, nowMs) : store.importOf(request.importId, caller.name);
  if (current === undefined) {
    throw apiError(Code.NotFound, "IMPORT_NOT_FOUND", "there is no such import in progress; begin a new one");
  }
  if (current.source !== request.source) {
    throw apiError(Code.FailedPrecondition, "IMPORT_SOURCE", `the import is one of ${current.source}`);
  }
  const { keyCount, bytes } = current;
  if (keyCount + request.keys.length > MAX_KEYS || bytes > MAX_BYTES) {
    store.dropImport(current.id);
    const message = `an import has at most ${MAX_KEYS} keys and ${MAX_BYTES} bytes; divide it`;
    throw apiError(Code.ResourceExhausted, "IMPORT_TOO_LARGE", message);
  }
  return current.id;
}

function begun({ source }: ImportKeysRequest, caller: Caller, store: Store, nowMs: number): Import {
  const id = writeId("import", nowMs, randomBytes(ID_RANDOM_BYTES));
  const begunImport = store.beginImport(id, source, caller, nowMs, nowMs - ABANDONED_AFTER_MS);
  if (store.importsOf(caller.name) <= MAX_IMPORTS) return begunImport;
  store.dropImport(id);
  const message = `${MAX_IMPORTS} imports are in progress; one that nobody continues is given up after 10 minutes`;
  throw apiError(Code.ResourceExhausted, "TOO_MANY_IMPORTS", message);
}

/** The keys as they are to be kept, and why some are not. Throws PERMISSION_DENIED where the caller can make no such key. */
function judged(keys: readonly ImportedKey[], caller: Caller, rules: ImportRules, nowMs: number) {
  const rows: ImportRow[] = [];
  const refused: Refusal[] = [];
  for (const key of keys) {
    const row = rowOf(key, caller, rules, nowMs);
    if (typeof row === "string") refused.push(refusal(key.line, row));
    else rows.push(row);
  }
  return { rows, refused };
}

/** One key as it is to be kept, or everything that is wrong with it. */
function rowOf(key: ImportedKey, caller: Caller, rules: ImportRules, nowMs: number): ImportRow | string {
  const { line, hash: secretHash, start, expiresAt, disabled, $typeName: _type, $unknown: _unknown, ...fields } = key;
  const expiry = expiresAt && ({ case: "expiresAt", value: expiresAt } as const);
  const request = create(CreateKeyRequestSchema, { ...fields, ...(expiry && { expiry }) });
  // Whatever else is wrong with a text that is the key would be said with the key in quotation marks.
  const ofSecret = violationsOfSecret(key);
  if (ofSecret.length > 0) return sentenceOf(ofSecret);
  const violations = violationsIn(CreateKeyRequestSchema, request, { ...rules, nowMs });
  if (violations.length > 0) return sentenceOf(violations);
  try {
    const { alg: _opaque, ...made } = newKeyFields(request, rules.defaultLifetimeMs, nowMs);
    const named = { ...made, tenant: tenantMeant(key.tenant, caller), disabled };
    rules.judge(named, caller);
    const hashing = secretHash.case === "sha512" ? secretHash.case : undefined;
    return { ...named, line, digest: digestOf(secretHash.value ?? NO_HASH), start, hashing };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (error.code === Code.InvalidArgument) return error.rawMessage;
    // What the caller may not do at all ends the call: it is no matter of the one key.
    const details = error.details.filter((detail) => "desc" in detail);
    throw new ConnectError(`line ${line}: ${error.rawMessage}`, error.code, undefined, details);
  }
}

const NO_HASH = new Uint8Array();

/** What is wrong with what tells of the secret, or with texts that are the secret. */
function violationsOfSecret({ hash: secretHash, start, ...fields }: ImportedKey): FieldViolation[] {
  if (secretHash.case === undefined) return [{ field: "hash", description: "is required: sha256 or sha512" }];
  const { case: algorithm, value } = secretHash;
  const violations: FieldViolation[] = [];
  const bytes = HASH_BYTES[algorithm];
  if (value.length !== bytes) {
    violations.push({ field: algorithm, description: `has ${value.length} bytes; it must have ${bytes}` });
  }
  if (!/^[\x21-\x7e]{0,32}$/.test(start)) {
    violations.push({ field: "start", description: "must be at most 32 visible ASCII characters" });
  }
  // A secret of another form than ours is known by its hash alone.
  const { name, note, owner, metadata } = fields;
  for (const [field, text] of [...Object.entries({ start, name, note, owner }), ...Object.entries(metadata)]) {
    if (text !== "" && hash(algorithm, text, "buffer").equals(value)) {
      violations.push({ field, description: "is the key itself, which would be stored in the clear" });
    }
  }
  return violations;
}

/** The digest by which a check finds the key (`foreign.ts`). */
function digestOf(secretHash: Uint8Array): string {
  const isSha256 = secretHash.length === HASH_BYTES.sha256;
  return isSha256 ? Buffer.from(secretHash).toString("hex") : hash("sha256", secretHash, "hex");
}

function sentenceOf(violations: readonly FieldViolation[]): string {
  return violations.map(({ field, description }) => `${field} ${description}`).join("; ");
}

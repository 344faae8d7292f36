import { durationMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { formatDuration } from "../../config/duration.ts";
import { type Key, KeyState, KeyStateSchema, type Sighting } from "../../gen/keyward/admin/v1/key_pb.ts";
import { type GetKeyResponse, KeyService } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { type ConnectionFlags, connectAdmin } from "../admin-connection.ts";
import { EXIT_FAILURE } from "../exit.ts";
import { columns, type OutputFlags, tell } from "../output.ts";
import { shownTime } from "../values.ts";

/** The flags of what an administrator says of a key, in `create` as in `update`. */
export interface FieldFlags {
  readonly note?: string;
  readonly metadata?: string[];
  readonly scopes?: string[];
  readonly inheritScopes?: boolean;
  readonly path?: string[];
  readonly method?: string[];
  readonly cidr?: string[];
  readonly expiresIn?: string;
  readonly notBefore?: string;
  readonly rateLimit?: string;
}

/** How an argument names a key. */
export const NAMES = "its id, its start (kw_ and the first eight characters) or those eight alone, or the key itself";

/** The key service that the flags name. */
export function keyClient(flags: ConnectionFlags) {
  return createClient(KeyService, connectAdmin(flags));
}

/** What there is to say of one key, for `facts`. */
export function keyFacts(key: Key | undefined): [string, string][] {
  if (key === undefined) return [];
  return [
    ["id", key.id],
    ["start", key.start],
    ["name", key.name],
    ["owner", key.owner],
    ["tenant", key.tenant],
    ["state", shownState(key)],
    ["source", key.source],
    ["format", key.alg === "" ? "" : `signed token (JWT, ${key.alg})`],
    ["scopes", shownScopes(key)],
    ["paths", key.paths.join(" ")],
    ["methods", key.methods.join(" ")],
    ["cidrs", key.cidrs.join(" ")],
    ["not before", shownTime(key.notBefore)],
    ["expires", shownExpiry(key)],
    ["rate limit", shownRateLimit(key)],
    ["note", key.note],
    ["metadata", shownMetadata(key)],
    ["created", `${shownTime(key.createdAt)} by ${key.createdBy}`],
    ["disabled", shownTime(key.disabledAt)],
    ["opens until", key.state === KeyState.ROTATED ? shownTime(key.graceEndsAt) : ""],
    ["or until quiet", key.untilQuiet === undefined ? "" : `for ${formatDuration(durationMs(key.untilQuiet))}`],
    ["successor", key.successor],
    ["predecessor", key.predecessor],
    ["revoked", key.revokedAt === undefined ? "" : `${shownTime(key.revokedAt)} by ${key.revokedBy}`],
    ["reason", key.revokeReason],
    ["etag", key.etag],
  ];
}

function shownLastUse({ lastUsedAt, lastUsedIp }: Key): string {
  if (lastUsedAt === undefined) return "never";
  return lastUsedIp === "" ? shownTime(lastUsedAt) : `${shownTime(lastUsedAt)} from ${lastUsedIp}`;
}

/** What there is to say of how it was used, for `facts`. */
export function usageFacts({ key, networks, userAgents }: GetKeyResponse): [string, string][] {
  if (key === undefined) return [];
  return [
    ["last used", shownLastUse(key)],
    ["uses", key.useCount === 0n ? "" : String(key.useCount)],
    ["networks", shownSightings(networks)],
    ["user agents", shownSightings(userAgents)],
  ];
}

/** One line each. */
function shownSightings(sightings: readonly Sighting[]): string {
  return sightings
    .map(({ value, firstSeenAt, lastSeenAt }) => `${value} (${shownTime(firstSeenAt)} to ${shownTime(lastSeenAt)})`)
    .join("\n");
}

/** Keys as a table. */
export function keyTable(keys: readonly Key[]): string {
  const head = ["ID", "START", "NAME", "OWNER", "TENANT", "STATE", "CREATED", "EXPIRES", "LAST USED", "SCOPES", "NOTE"];
  return columns(head, keys.map(keyRow));
}

function keyRow(key: Key): string[] {
  const { id, start, name, owner, tenant, note } = key;
  const lastUsed = key.lastUsedAt === undefined ? "never" : shownTime(key.lastUsedAt);
  const times = [shownTime(key.createdAt), shownExpiry(key), lastUsed];
  return [id, start, name, owner, tenant, shownState(key), ...times, shownScopes(key), firstLine(note)];
}

function shownExpiry({ expiresAt }: Key): string {
  return expiresAt === undefined ? "never" : shownTime(expiresAt);
}

function shownScopes({ scopes, inheritScopes }: Key): string {
  return inheritScopes ? "(those of its owner)" : scopes.join(" ");
}

function shownRateLimit({ rateLimit }: Key): string {
  if (rateLimit?.window === undefined) return "";
  return `${rateLimit.requests}/${formatDuration(durationMs(rateLimit.window))}`;
}

function shownMetadata({ metadata }: Key): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

/** As the configuration and the filter write it: `active` for KEY_STATE_ACTIVE. */
function shownState({ state }: Key): string {
  return (KeyStateSchema.value[state]?.localName ?? String(state)).toLowerCase();
}

/** A list has one line a key; longer than this, a note is for `keys get`. */
const MAX_NOTE_LENGTH = 40;

function firstLine(note: string): string {
  const [line = ""] = note.split("\n", 1);
  return line.length === note.length && line.length <= MAX_NOTE_LENGTH
    ? line
    : `${line.slice(0, MAX_NOTE_LENGTH - 1)}…`;
}

/** Tells why there is no secret. Who asked for nothing else must not take the empty answer for one. */
export function tellShownBefore({ quiet }: OutputFlags): void {
  tell("This request was made before; its secret was shown then.");
  if (quiet) process.exitCode = EXIT_FAILURE;
}

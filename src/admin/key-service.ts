import { Code, type ServiceImpl } from "@connectrpc/connect";
import {
  CreateKeyRequestSchema,
  type KeyService,
  RotateKeyRequestSchema,
} from "../gen/keyward/admin/v1/key_service_pb.ts";
import { DEFAULT_PREFIX } from "../key/secret.ts";
import { stateOf } from "../key/state.ts";
import type { Board } from "../serve/board.ts";
import type { StoredKey } from "../store/key-row.ts";
import type { KeyFilter } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { callerOf } from "./caller.ts";
import { enforce } from "./enforcement.ts";
import { apiError, invalidArgument } from "./errors.ts";
import { expiryMs } from "./expiry.ts";
import { newKeyFields, previewOf, updatedFields } from "./key-fields.ts";
import { parseKeyFilter } from "./key-filter.ts";
import { etagOf, keyMessage } from "./key-message.ts";
import { type Finder, findNamed } from "./named-key.ts";
import { newSecret } from "./new-secret.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { findEarlier, markOf } from "./request-id.ts";

const DEFAULT_PAGE_SIZE = 50;
/** A page of the largest keys is then under 100 MB, and one of usual keys under 1 MB. */
const MAX_PAGE_SIZE = 1_000;

/** Time enough to hand out a new secret, short enough that nobody forgets. */
const DEFAULT_GRACE_SECONDS = 24n * 60n * 60n;

/**
 * Makes, shows, changes and ends keys. Requests have passed the rules and callers their scope before they come here.
 * `defaultLifetimeMs` is the life of a key for which nothing is said; undefined: without end.
 */
export function createKeyService(
  store: Store,
  board: Board,
  defaultLifetimeMs: number | undefined,
): ServiceImpl<typeof KeyService> {
  const finder: Finder<StoredKey> = {
    byId: store.keyById,
    byDigest: store.keyByDigest,
    byStart: store.keysByStart,
  };
  const answer = async (key: StoredKey, nowMs: number) => {
    return { key: keyMessage(key, nowMs), ...(await enforce(board)) };
  };

  return {
    async createKey(request, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const fields = newKeyFields(request, defaultLifetimeMs, nowMs);
      if (request.validateOnly) return { key: keyMessage(previewOf(fields, caller, nowMs), nowMs) };
      const mark = markOf(CreateKeyRequestSchema, request);
      const earlier = mark && findEarlier(store, caller, mark, nowMs);
      if (earlier !== undefined) return answer(earlier, nowMs);
      const { secret, ...identity } = newSecret("key", DEFAULT_PREFIX, nowMs);
      const key = store.createKey({ ...identity, ...fields }, caller, nowMs, mark);
      return { ...(await answer(key, nowMs)), secret };
    },

    getKey({ key }) {
      return { key: keyMessage(findNamed(key, finder), Date.now()) };
    },

    listKeys({ pageSize, pageToken, filter }) {
      const nowMs = Date.now();
      const limit = Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
      const narrowed = narrowing(filter);
      const list = JSON.stringify(narrowed);
      const afterId = pageToken === "" ? undefined : pageStart(pageToken, list, store);
      // One more than the page: whether there is a next one.
      const found = store.listKeys({ ...narrowed, nowMs, afterId, limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return {
        keys: page.map((key) => keyMessage(key, nowMs)),
        nextPageToken: last === undefined ? "" : writePageToken(store.identity.pageTokenKey, list, last.id),
      };
    },

    async revokeKey({ key: name, reason }, context) {
      const nowMs = Date.now();
      const { id } = findNamed(name, finder);
      return answer(store.revokeKey(id, reason, callerOf(context), nowMs) ?? gone(), nowMs);
    },

    async updateKey(request, context) {
      const nowMs = Date.now();
      const found = findNamed(request.key, finder);
      refuseUnless(stateOf(found, nowMs) !== "revoked", "a revoked key cannot be changed");
      refuseStale(request.etag, found);
      const fields = updatedFields(found, request);
      const updated = store.updateKey(found.id, fields, callerOf(context), nowMs, found.revision);
      return answer(updated ?? overtaken(found.id), nowMs);
    },

    async rotateKey(request, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const mark = markOf(RotateKeyRequestSchema, request);
      const earlier = mark && findEarlier(store, caller, mark, nowMs);
      if (earlier !== undefined) {
        const rotated = store.keyById(earlier.predecessor ?? "") ?? gone();
        return { ...(await answer(earlier, nowMs)), rotated: keyMessage(rotated, nowMs) };
      }
      const old = findNamed(request.key, finder);
      const state = stateOf(old, nowMs);
      refuseUnless(state === "active", `only an active key can be rotated; this one is ${state}`);
      const prefix = old.start.slice(0, old.start.lastIndexOf("_"));
      const { secret, ...identity } = newSecret("key", prefix, nowMs);
      const expiresAtMs = request.expiry.case === undefined ? old.expiresAtMs : expiryMs(request.expiry, nowMs);
      const graceMs = Number(request.grace?.seconds ?? DEFAULT_GRACE_SECONDS) * 1000;
      const graceEndsAtMs = Math.min(nowMs + graceMs, old.expiresAtMs ?? Number.POSITIVE_INFINITY);
      const { tenant, owner, name, note, scopes, paths, methods, cidrs, notBeforeMs } = old;
      const fields = { tenant, owner, name, note, scopes, paths, methods, cidrs, notBeforeMs, expiresAtMs };
      refuseUnless(
        notBeforeMs === undefined || expiresAtMs === undefined || notBeforeMs < expiresAtMs,
        "the successor would end before the not_before of the key",
      );
      const successor = { ...identity, ...fields };
      const made = store.rotateKey(old.id, successor, graceEndsAtMs, caller, nowMs, old.revision, mark);
      const key = made ?? overtaken(old.id);
      const rotated = keyMessage(store.keyById(old.id) ?? gone(), nowMs);
      return { ...(await answer(key, nowMs)), secret, rotated };
    },

    async disableKey({ key: name }, context) {
      return setDisabled(name, true, callerOf(context));
    },

    async enableKey({ key: name }, context) {
      return setDisabled(name, false, callerOf(context));
    },
  };

  async function setDisabled(name: string, disabled: boolean, caller: ReturnType<typeof callerOf>) {
    const nowMs = Date.now();
    const found = findNamed(name, finder);
    refuseUnless(stateOf(found, nowMs) !== "revoked", "a revoked key is refused for good");
    return answer(store.setKeyDisabled(found.id, disabled, caller, nowMs) ?? gone(), nowMs);
  }

  /** Another program on the same database was faster. */
  function overtaken(id: string): never {
    throw staleEtag(store.keyById(id) ?? gone());
  }
}

function gone(): never {
  throw apiError(Code.NotFound, "KEY_NOT_FOUND", "no key answers to that name");
}

function refuseUnless(condition: boolean, message: string): void {
  if (!condition) throw apiError(Code.FailedPrecondition, "KEY_STATE", message);
}

function refuseStale(etag: string, key: StoredKey): void {
  if (etag !== "" && etag !== etagOf(key)) throw staleEtag(key);
}

/** Somebody else was faster: the change was thought out for another record than the one that is there (AIP-154). */
function staleEtag(key: StoredKey) {
  const present = etagOf(key);
  return apiError(Code.Aborted, "STALE_ETAG", `the key has changed since; its etag is ${present}`, { etag: present });
}

function narrowing(filter: string): Pick<KeyFilter, "owner" | "tenant" | "state"> {
  const parsed = parseKeyFilter(filter);
  if (typeof parsed === "string") throw invalidArgument([{ field: "filter", description: parsed }]);
  return parsed;
}

function pageStart(token: string, list: string, store: Store): string {
  const afterId = readPageToken(store.identity.pageTokenKey, list, token);
  if (afterId !== undefined) return afterId;
  throw invalidArgument([
    { field: "page_token", description: "is not of this list: take next_page_token of its last page" },
  ]);
}

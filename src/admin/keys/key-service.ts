import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { Settings } from "../../config/settings.ts";
import {
  CreateKeyRequestSchema,
  type KeyService,
  RotateKeyRequestSchema,
} from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { DEFAULT_PREFIX } from "../../key/secret.ts";
import { stateOf } from "../../key/state.ts";
import type { Board } from "../../serve/threads/board.ts";
import type { StoredKey } from "../../store/key-row.ts";
import { NO_GRACE } from "../../store/keys.ts";
import { prefixOf } from "../../store/start.ts";
import type { Store } from "../../store/store.ts";
import { type Caller, callerOf } from "../caller.ts";
import { enforce } from "../enforcement.ts";
import { apiError, invalidArgument } from "../errors.ts";
import { refuseStale, staleEtag } from "../etag.ts";
import type { Grants } from "../grants.ts";
import { type Finder, findNamed } from "../named-key.ts";
import { pageOf } from "../page.ts";
import { findEarlier, markOf } from "../request-id.ts";
import type { TokenSigner } from "../signing/token-signer.ts";
import { ownerMeant, tenantMeant } from "../tenancy.ts";
import { importKeys } from "./import-keys.ts";
import { issue } from "./issue.ts";
import { type NewKeyFields, newKeyFields, previewOf, updatedFields, updatePreviewOf } from "./key-fields.ts";
import { type ParsedKeyFilter, parseKeyFilter } from "./key-filter.ts";
import { keyMessage, sightingMessage } from "./key-message.ts";
import { refuseMoreKeys } from "./live-keys.ts";
import { graceEnd, successorFields } from "./successor.ts";

/**
 * Makes, shows, changes and ends keys. Requests have passed the rules and callers their scope before they come here.
 * `keyLifetime.defaultMs` is the life of a key for which nothing is said; undefined: without end. `tenants` says what the
 * keys of each begin with, `definedScopes` which scopes there are (none: any).
 */
export function createKeyService(
  store: Store,
  board: Board,
  grants: Grants,
  keyLifetime: Settings["keyLifetime"],
  tenants: Settings["tenants"],
  signer: TokenSigner,
  definedScopes: readonly string[],
): Omit<ServiceImpl<typeof KeyService>, "explainCheck" | "verifyKey" | "getDecision"> {
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
      const tenant = tenantMeant(request.tenant, caller);
      const owner = ownerMeant(request.owner, caller);
      // A call that changes nothing uses up no request id, and is not the call that one was used for.
      const mark = request.validateOnly ? undefined : markOf(CreateKeyRequestSchema, request);
      const earlier = () => mark && findEarlier(store, caller, mark, nowMs);
      const known = earlier();
      if (known !== undefined) return answer(known, nowMs);
      const fields = { ...newKeyFields({ ...request, owner }, keyLifetime.defaultMs, nowMs), tenant };
      refuseEmptyInheritance(fields);
      judge(fields, caller);
      if (request.validateOnly) {
        refuseMoreKeys(store, caller, nowMs);
        signer.judge(fields, nowMs);
        return { key: keyMessage(previewOf(fields, caller, nowMs), nowMs) };
      }
      const prefix = request.prefix || prefixIn(tenant);
      const { key, secret } = await issue(fields, prefix, signer, caller, nowMs, (identity) => {
        const made = () => {
          refuseMoreKeys(store, caller, nowMs);
          return store.createKey({ ...identity, ...fields }, caller, nowMs, mark);
        };
        return earlier() ?? made();
      });
      return { ...(await answer(key, nowMs)), secret };
    },

    getKey({ key }, context) {
      const found = findNamed(key, finder, callerOf(context));
      const { networks, userAgents } = store.sightingsOf(found.id);
      return {
        key: keyMessage(found, Date.now()),
        networks: networks.map(sightingMessage),
        userAgents: userAgents.map(sightingMessage),
      };
    },

    listKeys(request, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const narrowed = narrowing(request.filter, caller);
      const { items, nextPageToken } = pageOf(request, caller, {
        tokenKey: store.identity.pageTokenKey,
        name: `keys ${JSON.stringify(narrowed)}`,
        read: (afterId, limit) => store.listKeys({ ...narrowed, nowMs, afterId, limit }),
        placeOf: ({ id }) => id,
      });
      return { keys: items.map((key) => keyMessage(key, nowMs)), nextPageToken };
    },

    async revokeKey({ key: name, reason }, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const { id } = findNamed(name, finder, caller);
      return answer(store.revokeKey(id, reason, caller, nowMs) ?? gone(), nowMs);
    },

    async updateKey(request, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const found = findNamed(request.key, finder, caller);
      refuseUnless(stateOf(found, nowMs) !== "revoked", "a revoked key cannot be changed");
      refuseStale("key", request.etag, found);
      const fields = updatedFields(found, request, keyLifetime.maxMs);
      if (!found.inheritsScopes) refuseEmptyInheritance({ ...found, ...fields });
      judge({ ...found, ...fields }, caller);
      if (request.validateOnly) return { key: keyMessage(updatePreviewOf(found, fields), nowMs) };
      const updated = store.updateKey(found.id, fields, caller, nowMs, found.revision);
      return answer(updated ?? overtaken(found.id), nowMs);
    },

    async rotateKey(request, context) {
      const nowMs = Date.now();
      const caller = callerOf(context);
      const mark = request.validateOnly ? undefined : markOf(RotateKeyRequestSchema, request);
      const earlier = () => mark && findEarlier(store, caller, mark, nowMs);
      const both = async (key: StoredKey) => {
        const rotated = store.keyById(key.predecessor ?? "") ?? gone();
        return { ...(await answer(key, nowMs)), rotated: keyMessage(rotated, nowMs) };
      };
      const known = earlier();
      if (known !== undefined) return both(known);
      const old = findNamed(request.key, finder, caller);
      const state = stateOf(old, nowMs);
      refuseUnless(state === "active", `only an active key can be rotated; this one is ${state}`);
      const fields = successorFields(old, request, keyLifetime.maxMs, nowMs);
      judge(fields, caller);
      const graceEndsAtMs = graceEnd(old, request, nowMs);
      const quietAfterMs = request.untilQuiet && durationMs(request.untilQuiet);
      if (quietAfterMs !== undefined && board.serving.length === 0) throw unseen();
      // Without grace the old key makes room: what has leaked can be replaced at any time.
      if (graceEndsAtMs > nowMs) refuseMoreKeys(store, caller, nowMs);
      if (request.validateOnly) {
        signer.judge(fields, nowMs);
        const revocation = { revoked: true, revokedAtMs: nowMs, revokedBy: caller.name, revokeReason: NO_GRACE };
        const rotated = keyMessage(
          { ...old, graceEndsAtMs, quietAfterMs, ...(graceEndsAtMs <= nowMs && revocation) },
          nowMs,
        );
        return { key: keyMessage({ ...previewOf(fields, caller, nowMs), predecessor: old.id }, nowMs), rotated };
      }
      const { key, secret } = await issue(fields, prefixFor(old), signer, caller, nowMs, (identity) => {
        const successor = { ...identity, ...fields };
        const made = () =>
          store.rotateKey(old.id, successor, graceEndsAtMs, caller, nowMs, old.revision, mark, quietAfterMs);
        return earlier() ?? made() ?? overtaken(old.id);
      });
      return { ...(await both(key)), secret };
    },

    importKeys(request, context) {
      const { defaultMs: defaultLifetimeMs, maxMs: maxLifetimeMs } = keyLifetime;
      const rules = { definedScopes, maxLifetimeMs, defaultLifetimeMs, judge };
      return importKeys(request, callerOf(context), store, board, rules);
    },

    async disableKey({ key: name }, context) {
      return setDisabled(name, true, callerOf(context));
    },

    async enableKey({ key: name }, context) {
      return setDisabled(name, false, callerOf(context));
    },
  };

  async function setDisabled(name: string, disabled: boolean, caller: Caller) {
    const nowMs = Date.now();
    const found = findNamed(name, finder, caller);
    refuseUnless(stateOf(found, nowMs) !== "revoked", "a revoked key is refused for good");
    if (!disabled) judge(found, caller);
    return answer(store.setKeyDisabled(found.id, disabled, caller, nowMs) ?? gone(), nowMs);
  }

  /** Refuses to leave open what the caller could not have granted, whoever did. */
  function judge(key: Pick<NewKeyFields, "tenant" | "owner" | "scopes" | "inheritsScopes">, caller: Caller): void {
    grants.judgeKey(key, ownerScopes(key), caller);
  }

  function ownerScopes({ tenant, owner = "" }: Pick<NewKeyFields, "tenant" | "owner">) {
    return store.ownerOf({ tenant, name: owner })?.scopes;
  }

  /** The start of a key that was imported tells of no prefix of ours. */
  function prefixFor({ source, start, tenant }: StoredKey): string {
    return source === undefined ? prefixOf(start) : prefixIn(tenant);
  }

  function prefixIn(tenant: string | undefined): string {
    return (tenant === undefined ? undefined : tenants.get(tenant)?.prefix) ?? DEFAULT_PREFIX;
  }

  /** A key that inherits from an owner that has nothing to give would be a key for nothing. */
  function refuseEmptyInheritance({ inheritsScopes, tenant, owner = "" }: NewKeyFields): void {
    if (!inheritsScopes || ownerScopes({ tenant, owner }) !== undefined) return;
    const whose = tenant === undefined ? owner : `${owner} of the tenant ${tenant}`;
    const message =
      owner === ""
        ? "the key has no owner to inherit from"
        : `${whose} has no list of scopes to inherit; register the owner with one`;
    throw apiError(Code.FailedPrecondition, "NOTHING_TO_INHERIT", message);
  }

  /** Another program on the same database was faster. */
  function overtaken(id: string): never {
    throw staleEtag("key", store.keyById(id) ?? gone());
  }
}

function gone(): never {
  throw apiError(Code.NotFound, "KEY_NOT_FOUND", "no key answers to that name");
}

/** Where nobody counts, every key would seem to be unused. */
function unseen() {
  const message = "this process serves no checks (--mode admin), so it does not know when a key was last used";
  return apiError(Code.FailedPrecondition, "USAGE_UNKNOWN", message);
}

function refuseUnless(condition: boolean, message: string): void {
  if (!condition) throw apiError(Code.FailedPrecondition, "KEY_STATE", message);
}

/** What a filter narrows the list to, and in any case to what the caller sees. */
function narrowing(filter: string, caller: Caller): ParsedKeyFilter {
  const parsed = parseKeyFilter(filter);
  if (typeof parsed === "string") throw invalidArgument([{ field: "filter", description: parsed }]);
  if (caller.tenant === undefined && caller.owner === undefined) return parsed;
  const tenant = tenantMeant(parsed.tenant ?? "", caller);
  if (caller.owner === undefined) return { ...parsed, tenant };
  return { ...parsed, tenant: tenant ?? null, owner: ownerMeant(parsed.owner ?? "", caller) };
}

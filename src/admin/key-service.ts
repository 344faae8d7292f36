import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { readPath } from "../check/path.ts";
import type { CreateKeyRequest, KeyService } from "../gen/keyward/admin/v1/key_service_pb.ts";
import { DEFAULT_PREFIX } from "../key/secret.ts";
import type { Board } from "../serve/board.ts";
import type { KeyFilter } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { callerOf } from "./caller.ts";
import { enforce } from "./enforcement.ts";
import { apiError, invalidArgument } from "./errors.ts";
import { parseKeyFilter } from "./key-filter.ts";
import { keyMessage } from "./key-message.ts";
import { type Finder, findNamed } from "./named-key.ts";
import { newSecret } from "./new-secret.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { expiryMs } from "./rules.ts";

const DEFAULT_PAGE_SIZE = 50;
/** A page of the largest keys is then under 100 MB, and one of usual keys under 1 MB. */
const MAX_PAGE_SIZE = 1_000;

/** Makes, shows and ends keys. Requests have passed the rules and callers their scope before they come here. */
export function createKeyService(store: Store, board: Board): ServiceImpl<typeof KeyService> {
  const finder: Finder<ReturnType<Store["createKey"]>> = {
    byId: store.keyById,
    byDigest: store.keyByDigest,
    byStart: store.keysByStart,
  };
  return {
    async createKey(request, context) {
      const nowMs = Date.now();
      const { secret, ...kept } = newSecret("key", DEFAULT_PREFIX, nowMs);
      const key = store.createKey({ ...kept, ...draftOf(request, nowMs) }, callerOf(context), nowMs);
      return { key: keyMessage(key, nowMs), secret, ...(await enforce(board)) };
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
      const key = store.revokeKey(findNamed(name, finder).id, reason, callerOf(context), nowMs);
      if (key === undefined) throw apiError(Code.NotFound, "KEY_NOT_FOUND", "no key answers to that name");
      return { key: keyMessage(key, nowMs), ...(await enforce(board)) };
    },
  };
}

/** What is kept of a request, with each thing written in one way: no scope twice, paths as they are compared. */
function draftOf(request: CreateKeyRequest, nowMs: number) {
  const { name, note, tenant, owner, scopes, paths, notBefore, expiry } = request;
  return {
    name,
    note,
    tenant: tenant || undefined,
    owner: owner || undefined,
    scopes: [...new Set(scopes)],
    paths: [...new Set(paths.map(comparedForm))],
    notBeforeMs: notBefore && timestampMs(notBefore),
    expiresAtMs: expiryMs(expiry, nowMs),
  };
}

function comparedForm(path: string): string {
  return path.startsWith("=") ? `=${readPath(path.slice(1), true)}` : `${readPath(path, true)}`;
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

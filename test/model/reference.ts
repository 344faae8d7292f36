/** A key as the reference knows it. Times are milliseconds since 1970; what is undefined does not limit. */
export interface ReferenceKey {
  id: string;
  secret: string;
  tenant: string | undefined;
  owner: string | undefined;
  scopes: readonly string[];
  inherits: boolean;
  paths: readonly string[];
  methods: readonly string[];
  cidrs: readonly string[];
  notBeforeMs: number | undefined;
  expiresAtMs: number | undefined;
  graceEndsAtMs: number | undefined;
  disabled: boolean;
  revoked: boolean;
}

/** An owner as the reference knows it. Without `scopes` it cuts nothing. */
export interface ReferenceOwner {
  tenant: string | undefined;
  name: string;
  scopes: readonly string[] | undefined;
  disabled: boolean;
}

/** A request to be judged, with what its route asks for. */
export interface ReferenceRequest {
  readonly secret: string;
  readonly method: string;
  readonly path: string;
  readonly address: string;
  readonly scopes: readonly string[];
  readonly match: "any" | "all";
  readonly tenant: string | undefined;
}

/** The networks that keys are bound to, each with the beginnings of the addresses in it. */
export const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  "10.0.0.0/8": ["10."],
  "192.0.2.7": ["192.0.2.7"],
  "2001:db8::/32": ["2001:db8:"],
  "0.0.0.0/0": ["10.", "192.", "198."],
};

/**
 * What Keyward promises, said in the plainest way there is: lists that are walked from the beginning, no cache, no
 * database, and none of Keyward's own code.
 */
export class Reference {
  readonly keys: ReferenceKey[] = [];
  readonly owners: ReferenceOwner[] = [];

  /** `allowed`, or the reason of the denial. */
  judge(request: ReferenceRequest, nowMs: number): string {
    const key = this.keys.find(({ secret }) => secret === request.secret);
    if (key === undefined) return "unknown_key";
    const owner = this.ownerOf(key);
    if (key.revoked) return "key_revoked";
    if (key.disabled) return "key_disabled";
    if (owner?.disabled) return "owner_disabled";
    if (isOver(key.expiresAtMs, nowMs) || isOver(key.graceEndsAtMs, nowMs)) return "key_expired";
    if (key.notBeforeMs !== undefined && nowMs < key.notBeforeMs) return "key_not_yet_valid";
    if (!admits(key.cidrs, (cidr) => isIn(request.address, cidr))) return "address_not_allowed";
    if (request.tenant !== undefined && request.tenant !== key.tenant) return "tenant_mismatch";
    if (!admits(key.methods, (method) => method === request.method)) return "method_not_allowed";
    if (!admits(key.paths, (path) => lies(request.path, path))) return "path_not_allowed";
    const has = (scope: string) => this.#grants(key, owner, scope);
    const enough = request.match === "all" ? request.scopes.every(has) : request.scopes.some(has);
    return enough || request.scopes.length === 0 ? "allowed" : "insufficient_scope";
  }

  ownerOf({ tenant, owner }: Pick<ReferenceKey, "tenant" | "owner">): ReferenceOwner | undefined {
    return this.owners.find((candidate) => candidate.name === owner && candidate.tenant === tenant);
  }

  /** Lets a successor take the place of a key, which opens until a time beside it. */
  rotate(
    key: ReferenceKey,
    successor: Pick<ReferenceKey, "id" | "secret">,
    graceEndsAtMs: number,
    nowMs: number,
  ): void {
    this.keys.push({ ...key, ...successor });
    key.graceEndsAtMs = Math.min(graceEndsAtMs, key.expiresAtMs ?? Number.POSITIVE_INFINITY);
    key.revoked = key.graceEndsAtMs <= nowMs;
  }

  deleteOwner(owner: ReferenceOwner): void {
    for (const key of this.keys) if (this.ownerOf(key) === owner) key.revoked = true;
    this.owners.splice(this.owners.indexOf(owner), 1);
  }

  #grants(key: ReferenceKey, owner: ReferenceOwner | undefined, scope: string): boolean {
    const most = owner?.scopes;
    if (key.inherits) return most?.some((held) => covers(held, scope)) ?? false;
    const given = key.scopes.some((held) => covers(held, scope));
    return given && (most === undefined || most.some((held) => covers(held, scope)));
  }
}

function isOver(timeMs: number | undefined, nowMs: number): boolean {
  return timeMs !== undefined && nowMs >= timeMs;
}

/** An empty list admits everything. */
function admits(list: readonly string[], isOne: (item: string) => boolean): boolean {
  return list.length === 0 || list.some(isOne);
}

function isIn(address: string, cidr: string): boolean {
  return NETWORKS[cidr]?.some((beginning) => address.startsWith(beginning)) ?? false;
}

function lies(path: string, opened: string): boolean {
  if (opened.startsWith("=")) return path === opened.slice(1);
  return path === opened || path.startsWith(`${opened}/`);
}

function covers(held: string, scope: string): boolean {
  if (!held.endsWith("*")) return held === scope;
  return held === scope || (scope.length >= held.length && scope.startsWith(held.slice(0, -1)));
}

/** Which request headers are looked at; all others are passed over. Names in lower case. */
export interface WatchedHeaders {
  /** Where credentials may be. */
  readonly credentials: readonly string[];
  /** The identity headers that an allow sets: looked for in every spelling that a back end may take for one. */
  readonly identity: readonly string[];
}

/** A header that is looked at, and why. */
type WatchedName =
  | { readonly kind: "credential" | "identity"; readonly name: string }
  | { readonly kind: "pseudo"; readonly name: (typeof PSEUDO_HEADERS)[number] }
  | { readonly kind: "agent"; readonly name: typeof USER_AGENT };

/** Finds out, without building a string, whether the name that stands between two positions is looked at. */
export interface WatchedNames {
  find(bytes: Uint8Array, start: number, end: number): WatchedName | undefined;
}

/** The pseudo-headers that repeat what other fields of the request say, and must agree with them. */
const PSEUDO_HEADERS = [":method", ":path", ":authority"] as const;

/** What the client calls itself. Nothing is decided by it. */
const USER_AGENT = "user-agent";

/** Names are sorted by length and first character, so that a header nobody looks at costs no comparison. */
export function createWatchedNames(watched: WatchedHeaders): WatchedNames {
  const sorted: (WatchedName[] | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  const add = (watched: WatchedName) => {
    const slot = slotOf(watched.name.length, watched.name.charCodeAt(0));
    sorted[slot] = [...(sorted[slot] ?? []), watched];
  };
  for (const name of PSEUDO_HEADERS) add({ kind: "pseudo", name });
  for (const name of watched.credentials) add({ kind: "credential", name });
  for (const name of watched.identity) add({ kind: "identity", name });
  // Last, so that it is still looked at as what it is configured to be.
  add({ kind: "agent", name: USER_AGENT });
  return {
    find(bytes, start, end) {
      if (start === end) return undefined;
      const candidates = sorted[slotOf(end - start, bytes[start] as number)];
      if (candidates === undefined) return undefined;
      for (const candidate of candidates) {
        if (spells(bytes, start, end, candidate.name, candidate.kind === "identity")) return candidate;
      }
      return undefined;
    },
  };
}

/** Names whose lengths and first characters agree in their low bits share a slot. */
const SLOTS = 64 * 32;

/** The five low bits are the same for both cases of a letter; so are, by `asHyphen`, the separators. */
function slotOf(length: number, first: number): number {
  return (length & 0x3f) * 32 + (asHyphen(first) & 0x1f);
}

/**
 * Whether bytes spell a name in any ASCII case. For identity headers `_` and `.` count as `-`: CGI and its heirs fold
 * them together, so `x_keyward_owner` would reach such a back end as `x-keyward-owner`.
 */
function spells(bytes: Uint8Array, start: number, end: number, name: string, anySeparator: boolean): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    let byte = bytes[start + index] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    let expected = name.charCodeAt(index);
    if (anySeparator) {
      byte = asHyphen(byte);
      expected = asHyphen(expected);
    }
    if (byte !== expected) return false;
  }
  return true;
}

function asHyphen(code: number): number {
  return code === 0x5f || code === 0x2e ? 0x2d : code;
}

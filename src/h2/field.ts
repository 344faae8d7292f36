/** What a field means to a request. `FORBIDDEN` makes the whole request malformed (RFC 9113 §8.1.1). */
export const KIND = {
  other: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  contentType: 5,
  contentLength: 6,
  te: 7,
  forbidden: 8,
} as const;

/**
 * One header field, looked at once, when it is made: what stands in a table of HPACK costs nothing more when it comes
 * again. Texts hold one character a byte.
 */
export class Field {
  readonly name: string;
  readonly value: string;
  /** What the name alone means, so that a field of the same name need not be looked up again. */
  readonly nameKind: number;
  readonly kind: number;

  constructor(name: string, value: string, nameKind = kindOfName(name)) {
    this.name = name;
    this.value = value;
    this.nameKind = nameKind;
    this.kind = isAllowed(nameKind, value) ? nameKind : KIND.forbidden;
  }

  /** What it counts for in a table and in a list of headers (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  get size(): number {
    return this.name.length + this.value.length + ENTRY_OVERHEAD;
  }

  /** A field of the same name. */
  withValue(value: string): Field {
    return new Field(this.name, value, this.nameKind);
  }
}

const ENTRY_OVERHEAD = 32;

/** Names that mean something here. Those that speak of one connection are forbidden in HTTP/2 (RFC 9113 §8.2.2). */
const NAME_KINDS = new Map<string, number>([
  [":method", KIND.method],
  [":scheme", KIND.scheme],
  [":authority", KIND.authority],
  [":path", KIND.path],
  ["content-type", KIND.contentType],
  ["content-length", KIND.contentLength],
  ["te", KIND.te],
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name): [string, number] => [
    name,
    KIND.forbidden,
  ]),
]);

function kindOfName(name: string): number {
  return NAME_KINDS.get(name) ?? (isName(name) ? KIND.other : KIND.forbidden);
}

/** No upper case, no control character, no space, nothing beyond ASCII, and no colon: RFC 9113 §8.2.1 and §8.3. */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code <= SPACE || code >= DELETE || code === COLON || (code >= UPPER_A && code <= UPPER_Z)) return false;
  }
  return name.length > 0;
}

function isAllowed(nameKind: number, value: string): boolean {
  if (nameKind === KIND.forbidden || !isValue(value)) return false;
  if (nameKind === KIND.path) return value !== "";
  if (nameKind === KIND.te) return value === "trailers";
  return nameKind !== KIND.contentLength || isDecimal(value);
}

/** No NUL, LF or CR, and no space or tab at either end (RFC 9113 §8.2.1). */
function isValue(value: string): boolean {
  const last = value.length - 1;
  if (last < 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(last))) return false;
  for (let at = 0; at <= last; at++) {
    const code = value.charCodeAt(at);
    if (code <= CR && (code === 0 || code === LF || code === CR)) return false;
  }
  return true;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Digits only, and few enough for a number to hold them exactly. */
function isDecimal(value: string): boolean {
  if (value.length === 0 || value.length > MAX_SAFE_DIGITS) return false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}

const MAX_SAFE_DIGITS = 15;
const [TAB, LF, CR, SPACE, ZERO, NINE, COLON, UPPER_A, UPPER_Z, DELETE] = [9, 10, 13, 32, 48, 57, 58, 65, 90, 127];

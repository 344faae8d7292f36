/**
 * Returns the path of a request target in the form in which what opens is compared: without the query, and with `%XX` of
 * unreserved characters decoded (RFC 3986 §2.3). Returns undefined where two programs could read the path differently:
 * it is never repaired.
 *
 * `target` is `:path` as it was sent, one character a byte. `bytesKnown` says that no byte of it was replaced on the way:
 * without `encode_raw_headers` Envoy writes `!` for what it cannot show.
 */
export function readPath(target: string, bytesKnown: boolean): string | undefined {
  if (target.charCodeAt(0) !== SLASH) return undefined;
  let segment = 1;
  let escaped = false;
  let index = 1;
  for (; index < target.length; index++) {
    const code = target.charCodeAt(index);
    if (code === QUESTION_MARK) break;
    if (code === SLASH) {
      if (index === segment || isDots(target, segment, index)) return undefined;
      segment = index + 1;
    } else if (code === PERCENT) {
      const end = endOfEscape(target, index);
      if (end === 0) return undefined;
      escaped = true;
      index = end - 1;
    } else if (!isPlain(code) || (code === EXCLAMATION_MARK && !bytesKnown)) {
      return undefined;
    }
  }
  if (isDots(target, segment, index) || !isPlainQuery(target, index)) return undefined;
  const path = index === target.length ? target : target.slice(0, index);
  return escaped ? decodeUnreserved(path) : path;
}

/**
 * The form in which what asks is compared: every escape decoded (to one character a byte), ASCII letters in lower case,
 * one trailing slash dropped. Two paths that any upstream could take for one another have the same form. `path` comes
 * from `readPath`.
 */
export function looseForm(path: string): string {
  const end = path.charCodeAt(path.length - 1) === SLASH ? path.length - 1 : path.length;
  const trimmed = end === path.length ? path : path.slice(0, end);
  const decoded = trimmed.includes("%") ? decodeEvery(trimmed) : trimmed;
  return hasUpperCase(decoded) ? lowerCase(decoded) : decoded;
}

/**
 * Whether a path lies where one of a key's `paths` opens: `/v1` opens itself and what is below it, on segment boundaries;
 * `=/v1` itself only. Exact: another case, a trailing slash after `=`, is another path. Both in the form of `readPath`.
 */
export function liesUnder(path: string, opened: string): boolean {
  if (opened.charCodeAt(0) === EQUALS) return path.length === opened.length - 1 && opened.endsWith(path);
  if (!path.startsWith(opened)) return false;
  return path.length === opened.length || opened.length === 1 || path.charCodeAt(opened.length) === SLASH;
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;
const EXCLAMATION_MARK = 0x21;
const EQUALS = 0x3d;

/** Visible ASCII that every program reads alike: not `\`, which some take for `/`, nor `;`, `#`, which some cut at. */
function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x5c && code !== 0x3b && code !== 0x23;
}

/** A query does not take part in deciding; what could end the request line early, or begin a fragment, is refused. */
function isPlainQuery(target: string, start: number): boolean {
  for (let index = start; index < target.length; index++) {
    const code = target.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f || code === 0x23) return false;
  }
  return true;
}

/** Whether the segment between two positions is `.` or `..`. */
function isDots(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length > 2) return false;
  return text.charCodeAt(start) === 0x2e && text.charCodeAt(end - 1) === 0x2e;
}

/**
 * Where the escape, or the run of escapes that makes one UTF-8 character, ends; 0 where it may not stand in a path: not
 * two hex digits, a byte that means something when decoded (`/ \ . % ; ? #`, controls), or UTF-8 that is not well formed.
 */
function endOfEscape(text: string, start: number): number {
  const lead = escapedByte(text, start);
  if (lead < 0x80) return lead < 0x20 || REFUSED_ESCAPES.has(lead) ? 0 : start + 3;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0) return 0;
  // RFC 3629 §4: the second byte is what excludes overlong forms, surrogates and what lies past U+10FFFF.
  const second = escapedByte(text, start + 3);
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let count = 2; count < length; count++) {
    const next = escapedByte(text, start + 3 * count);
    if (next < 0x80 || next > 0xbf) return 0;
  }
  return start + 3 * length;
}

const REFUSED_ESCAPES: ReadonlySet<number> = new Set([0x2f, 0x5c, 0x2e, 0x25, 0x3b, 0x3f, 0x23, 0x7f]);

/** The byte that `%XX` at a position stands for, or -1. */
function escapedByte(text: string, at: number): number {
  if (text.charCodeAt(at) !== PERCENT) return -1;
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function decodeUnreserved(path: string): string {
  return decode(path, (byte, triplet) => (isUnreserved(byte) ? String.fromCharCode(byte) : triplet.toUpperCase()));
}

function decodeEvery(path: string): string {
  return decode(path, (byte) => String.fromCharCode(byte));
}

function decode(path: string, replace: (byte: number, triplet: string) => string): string {
  let decoded = "";
  let from = 0;
  for (let at = path.indexOf("%"); at !== -1; at = path.indexOf("%", from)) {
    decoded += path.slice(from, at) + replace(escapedByte(path, at), path.slice(at, at + 3));
    from = at + 3;
  }
  return decoded + path.slice(from);
}

/** RFC 3986 §2.3, without `.`: an escaped dot was refused. */
function isUnreserved(byte: number): boolean {
  const lower = byte | 0x20;
  const letter = lower >= 0x61 && lower <= 0x7a && byte < 0x80;
  return letter || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x5f || byte === 0x7e;
}

function hasUpperCase(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) return true;
  }
  return false;
}

/** ASCII only: `toLowerCase` would fold bytes of UTF-8 as if they were Latin letters. */
function lowerCase(text: string): string {
  let folded = "";
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    folded += String.fromCharCode(code >= 0x41 && code <= 0x5a ? code + 0x20 : code);
  }
  return folded;
}

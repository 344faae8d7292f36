/**
 * Returns the host of an `:authority` in the form in which hosts are compared: lower case, without port and one trailing
 * dot; `""` where none was sent. Returns undefined where two programs could read the authority differently: user
 * information, a list, escapes, an empty label, anything but the characters of a name or of an IPv6 literal in brackets
 * (RFC 3986 §3.2).
 */
export function readHost(authority: string): string | undefined {
  let colon = -1;
  let bracketed = false;
  for (let index = 0; index < authority.length; index++) {
    const code = authority.charCodeAt(index);
    if (code === COLON) {
      if (!bracketed && colon !== -1) return undefined;
      if (!bracketed) colon = index;
    } else if (code === OPENING_BRACKET) {
      if (index !== 0) return undefined;
      bracketed = true;
    } else if (code === CLOSING_BRACKET) {
      const next = index + 1 === authority.length ? COLON : authority.charCodeAt(index + 1);
      if (!bracketed || next !== COLON) return undefined;
      bracketed = false;
    } else if (bracketed ? !isIpv6Character(code) : colon === -1 ? !isNameCharacter(code) : !isDigit(code)) {
      return undefined;
    }
    if (code === DOT && (index === 0 || authority.charCodeAt(index - 1) === DOT)) return undefined;
  }
  if (bracketed || colon === 0) return undefined;
  const host = colon === -1 ? authority : authority.slice(0, colon);
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

const DOT = 0x2e;

/** Hex digits and, for an embedded IPv4 address, dots; colons are looked at before. */
function isIpv6Character(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || code === DOT || (code < 0x80 && lower >= 0x61 && lower <= 0x66);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isNameCharacter(code: number): boolean {
  const lower = code | 0x20;
  const letter = code < 0x80 && lower >= 0x61 && lower <= 0x7a;
  return letter || isDigit(code) || code === 0x2d || code === 0x2e || code === 0x5f;
}

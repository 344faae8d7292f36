/** User name and password, one character a byte. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the credentials of `Authorization: Basic` (RFC 7617 §2): base64 of the user name, a colon and the password.
 * Returns undefined where that is not strictly so: white space, missing or needless padding, bits that are lost, no
 * colon, or a control character. Two readers could take such a text for different things.
 */
export function readBasic(text: string): BasicCredentials | undefined {
  const decoded = decodeBase64(text);
  if (decoded === undefined) return undefined;
  const colon = decoded.indexOf(":");
  if (colon === -1) return undefined;
  for (let index = 0; index < decoded.length; index++) {
    const code = decoded.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return undefined;
  }
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

// Of every runtime (WHATWG HTML §8.3), though not of the language.
declare function atob(data: string): string;
declare function btoa(data: string): string;

/** `atob` forgives much; what it decodes must give the same text again. */
function decodeBase64(text: string): string | undefined {
  try {
    const decoded = atob(text);
    return btoa(decoded) === text ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/** AES-256 takes 32 bytes. */
const KEY_BYTES = 32;

/** In hex, or in base64 (RFC 4648 §4) with or without its padding. Neither has the length of the other. */
const HEX = /^[0-9A-Fa-f]{64}$/;
const BASE64 = /^[0-9A-Za-z+/]{43}=?$/;

/** The 32 bytes that a text writes in hex or base64; undefined where it writes anything else. */
export function readKeyBytes(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return Uint8Array.from(Buffer.from(text, "hex"));
  const bytes = BASE64.test(text) ? Uint8Array.from(Buffer.from(text, "base64")) : undefined;
  return bytes?.length === KEY_BYTES ? bytes : undefined;
}

/** The length of a DNS label: tenants become parts of host names. */
const MAX_TENANT_LENGTH = 63;

/** What `isTenant` asks for, in words that follow "must be". */
export const TENANT_FORM = `1 to ${MAX_TENANT_LENGTH} of a-z, 0-9, "-" and "_", the first a letter or digit`;

/** Whether a text can be a tenant. Only characters that a URL holds as they are, and none in two cases. */
export function isTenant(text: string): boolean {
  if (text.length < 1 || text.length > MAX_TENANT_LENGTH) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const isLetterOrDigit = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
    if (!isLetterOrDigit && (index === 0 || (code !== 0x2d && code !== 0x5f))) return false;
  }
  return true;
}

/**
 * Whether a method is one that rules can be compared with: an upper-case token (RFC 9110 §9.1 makes methods
 * case-sensitive, so `get` is another method than `GET`, and an upstream may not agree). CONNECT has no path to judge.
 */
export function isJudgeableMethod(method: string): boolean {
  if (method.length === 0 || method === "CONNECT") return false;
  for (let index = 0; index < method.length; index++) {
    const code = method.charCodeAt(index);
    const judgeable = (code >= 0x41 && code <= 0x5a) || (index > 0 && (code === 0x2d || code === 0x5f));
    if (!judgeable) return false;
  }
  return true;
}

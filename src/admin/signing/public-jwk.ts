/** What is public of an RSA key, an elliptic curve key and an Ed25519 key (RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2). */
const PUBLIC_MEMBERS = ["kty", "crv", "x", "y", "n", "e"] as const;

type PublicMembers = { readonly [Name in (typeof PUBLIC_MEMBERS)[number]]?: unknown };

/** The public members of a key, named one by one: whatever else it has may be private. */
export function publicMembers(jwk: PublicMembers): Record<string, string> {
  return Object.fromEntries(
    PUBLIC_MEMBERS.flatMap((name) => {
      const value = jwk[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

import { exportJWK, generateKeyPair } from "jose";
import { expect, test } from "vitest";
import { publicMembers } from "../../src/admin/signing/public-jwk.ts";

test.each<[alg: string, members: string[]]>([
  ["RS256", ["e", "kty", "n"]],
  ["ES256", ["crv", "kty", "x", "y"]],
  ["EdDSA", ["crv", "kty", "x"]],
])("of a private %s key, the members of its public half are left, and no other", async (alg, members) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const left = publicMembers(await exportJWK(privateKey));
  expect(Object.keys(left).toSorted()).toEqual(members);
  expect(left).toEqual(await exportJWK(publicKey));
});

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { encryptionKeyOf, SIGNING_ENV } from "../support/encryption-keys.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";

const signed = { format: "KEY_FORMAT_JWT", alg: "ES256" };

/** A folder in which a Keyward has signed a key and stopped, and the token. */
async function afterSigning() {
  const folder = folderForThisTest();
  const keyward = await keywardForThisTest({ folder, env: SIGNING_ENV });
  const { secret } = await createKey(keyward.adminSocket, signed);
  await keyward.stop();
  return { folder, token: secret };
}

async function verifies(keyward: Keyward, token: string): Promise<boolean> {
  const published = await fetch(`http://${keyward.admin}/.well-known/jwks.json`);
  await jwtVerify(token, createLocalJWKSet((await published.json()) as JSONWebKeySet));
  return true;
}

const WARNING = "the encryption key does not open a signing key, or there is none: no key can be signed";

describe.each<[title: string, env: Record<string, string>, reason: string]>([
  ["another encryption key", { KEYWARD_ENCRYPTION_KEY: encryptionKeyOf("another") }, "WRONG_ENCRYPTION_KEY"],
  ["no encryption key", {}, "NO_ENCRYPTION_KEY"],
])("a program that is started with %s", (_, env, reason) => {
  test("says so, signs nothing, and goes on verifying and opening what was signed", async () => {
    const { folder, token } = await afterSigning();
    const keyward = await keywardForThisTest({ folder, env });
    await logged(keyward, `"msg":"${WARNING}"`);
    for (const method of ["CreateKey", "RotateKey"]) {
      const named = method === "CreateKey" ? { name: "x", ...signed } : { key: token };
      for (const validateOnly of [false, true]) {
        const call = adminCall(keyward.adminSocket, `KeyService/${method}`, { ...named, validateOnly });
        await expect(call).rejects.toThrow(`"reason":"${reason}"`);
      }
    }
    expect((await checkClientForThisTest(keyward.authz).present(token)).reason).toBe("allowed");
    expect(await verifies(keyward, token)).toBe(true);
  });
});

test("a program that is started with the same encryption key signs on, and says nothing", async () => {
  const { folder, token } = await afterSigning();
  const keyward = await keywardForThisTest({ folder, env: SIGNING_ENV });
  const { secret } = await createKey(keyward.adminSocket, signed);
  expect(await verifies(keyward, token)).toBe(true);
  expect(await verifies(keyward, secret)).toBe(true);
  expect(keyward.log()).not.toContain(WARNING);
});

import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SIGNING_ALGS, type SigningAlg } from "../../src/key/signing-alg.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
let client: CheckClient;
beforeAll(async () => {
  keyward = await startKeyward({ env: SIGNING_ENV });
  client = createCheckClient(keyward.authz);
});
afterAll(async () => {
  client.close();
  await keyward.stop();
});

async function signedKey(alg: SigningAlg, more: object = {}) {
  return createKey(keyward.adminSocket, { format: "KEY_FORMAT_JWT", alg, ...more });
}

async function rotateSigningKey(alg: SigningAlg, withdrawEarlier = false): Promise<string> {
  const answer = await adminCall<{ signingKey: { kid: string } }>(
    keyward.adminSocket,
    "SystemService/RotateSigningKey",
    { alg, withdrawEarlier },
  );
  return answer.signingKey.kid;
}

/** A back end that verifies tokens by itself, as one that has just started does: it fetches the set for each unknown kid. */
function backEnd() {
  const jwks = createRemoteJWKSet(new URL(`http://${keyward.admin}/.well-known/jwks.json`), { cooldownDuration: 0 });
  const expected = { issuer: "keyward", audience: "keyward", typ: "JWT", algorithms: [...SIGNING_ALGS] };
  return async (token: string, currentDate = new Date()): Promise<string> => {
    try {
      await jwtVerify(token, jwks, { ...expected, currentDate });
      return "verified";
    } catch (error) {
      if (error instanceof errors.JOSEError) return error.code;
      throw error;
    }
  };
}

/** What the sidecar says of a token. */
async function sidecar(token: string): Promise<string> {
  return (await client.present(token)).reason;
}

/** A token with other parts in the place of some of its three. */
function spliced(token: string, parts: { header?: object; claims?: object; signature?: string }): string {
  const [header, claims, signature] = token.split(".");
  const written = (part: object | undefined, otherwise: string | undefined) =>
    part === undefined ? otherwise : Buffer.from(JSON.stringify(part)).toString("base64url");
  return [written(parts.header, header), written(parts.claims, claims), parts.signature ?? signature].join(".");
}

describe.each(SIGNING_ALGS)("a key signed with %s", (alg) => {
  test("is verified by a back end and let through by the sidecar", async () => {
    const { secret } = await signedKey(alg);
    expect([await backEnd()(secret), await sidecar(secret)]).toEqual(["verified", "allowed"]);
  });

  test("is verified after its signing key was replaced, and so is the next, by back ends old and new", async () => {
    const verifies = backEnd();
    const before = await signedKey(alg);
    expect(await verifies(before.secret)).toBe("verified");
    const kid = await rotateSigningKey(alg);
    const after = await signedKey(alg);
    expect(decodeProtectedHeader(after.secret).kid).toBe(kid);
    for (const { secret } of [before, after]) {
      expect([await verifies(secret), await backEnd()(secret), await sidecar(secret)]).toEqual([
        "verified",
        "verified",
        "allowed",
      ]);
    }
  });

  test("is verified no more once its signing key was withdrawn, though the sidecar knows it still", async () => {
    const { secret } = await signedKey(alg);
    await rotateSigningKey(alg, true);
    const after = await signedKey(alg);
    expect([await backEnd()(secret), await sidecar(secret)]).toEqual(["ERR_JWKS_NO_MATCHING_KEY", "allowed"]);
    expect([await backEnd()(after.secret), await sidecar(after.secret)]).toEqual(["verified", "allowed"]);
  });

  test("is refused by the sidecar the moment it is revoked or disabled, while back ends verify it still", async () => {
    const [revoked, disabled] = [await signedKey(alg), await signedKey(alg)];
    expect([await sidecar(revoked.secret), await sidecar(disabled.secret)]).toEqual(["allowed", "allowed"]);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: revoked.id });
    expect([await sidecar(revoked.secret), await backEnd()(revoked.secret)]).toEqual(["key_revoked", "verified"]);
    await adminCall(keyward.adminSocket, "KeyService/DisableKey", { key: disabled.id });
    expect([await sidecar(disabled.secret), await backEnd()(disabled.secret)]).toEqual(["key_disabled", "verified"]);
  });

  test("of which anything was changed is an unknown key, and no back end verifies it", async () => {
    const { secret } = await signedKey(alg, { scopes: ["a"] });
    const claims = decodeJwt(secret);
    const forged = spliced(secret, { claims: { ...claims, scopes: ["b"] } });
    expect([await sidecar(forged), await backEnd()(forged)]).toEqual([
      "unknown_key",
      "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    ]);
    const [, , signature = ""] = secret.split(".");
    const bent = spliced(secret, { signature: `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}` });
    expect([await sidecar(bent), await backEnd()(bent)]).toEqual([
      "unknown_key",
      "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    ]);
  });

  test("ends for back ends when its key does", async () => {
    const { id, secret } = await signedKey(alg, { expiresIn: "3600s" });
    const { key } = await adminCall<{ key: { expiresAt: string } }>(keyward.adminSocket, "KeyService/GetKey", {
      key: id,
    });
    const endMs = Date.parse(key.expiresAt);
    expect(await backEnd()(secret, new Date(endMs - 1_000))).toBe("verified");
    expect(await backEnd()(secret, new Date(endMs))).toBe("ERR_JWT_EXPIRED");
  });
});

describe("a token that nobody here has signed", () => {
  test("with alg none is malformed without a signature, and unknown with one", async () => {
    const { secret } = await signedKey("ES256");
    const { kid } = decodeProtectedHeader(secret);
    const header = { kid, typ: "JWT", alg: "none" };
    expect(await sidecar(spliced(secret, { header, signature: "" }))).toBe("malformed_credential");
    expect(await sidecar(spliced(secret, { header }))).toBe("unknown_key");
  });

  test.each([
    ["a foreign kid", "somebody-else"],
    ["a kid of our form", "kwsk_00000000000000000000"],
  ])("with %s is an unknown key, well signed as it may be", async (_, kid) => {
    const { id, secret } = await signedKey("ES256");
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await new SignJWT({ ...decodeJwt(secret) })
      .setProtectedHeader({ kid, typ: "JWT", alg: "ES256" })
      .sign(privateKey);
    expect(decodeJwt(forged).key_id).toBe(id);
    expect([await sidecar(forged), await backEnd()(forged)]).toEqual(["unknown_key", "ERR_JWKS_NO_MATCHING_KEY"]);
  });

  test("with the kid of ours is an unknown key, and no back end verifies it", async () => {
    const { secret } = await signedKey("ES256");
    const { privateKey } = await generateKeyPair("ES256");
    const { kid = "" } = decodeProtectedHeader(secret);
    const forged = await new SignJWT({ ...decodeJwt(secret) })
      .setProtectedHeader({ kid, typ: "JWT", alg: "ES256" })
      .sign(privateKey);
    expect([await sidecar(forged), await backEnd()(forged)]).toEqual([
      "unknown_key",
      "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    ]);
  });

  test.each([
    ["8,192 characters is an unknown key", 8_192, "unknown_key"],
    ["8,193 characters is malformed", 8_193, "malformed_credential"],
    ["64 KiB is malformed", 65_536, "malformed_credential"],
  ])("of %s", async (_, length, reason) => {
    const { secret } = await signedKey("ES256");
    expect(await sidecar(secret.padEnd(length, "A"))).toBe(reason);
  });
});

test("a signed key has its scopes, paths and end judged like any other", async () => {
  const { secret } = await signedKey("EdDSA", { scopes: ["a"], paths: ["/v1"], notBefore: "2199-01-01T00:00:00Z" });
  expect(await sidecar(secret)).toBe("key_not_yet_valid");
  expect(await backEnd()(secret)).toBe("ERR_JWT_CLAIM_VALIDATION_FAILED");
  const narrow = await signedKey("EdDSA", { scopes: ["a"], paths: ["/v1"] });
  const extensions = { "keyward.scopes": "a" };
  expect((await client.present(narrow.secret, { path: "/v1/x", extensions })).reason).toBe("allowed");
  expect((await client.present(narrow.secret, { path: "/v2/x", extensions })).reason).toBe("path_not_allowed");
  const other = { "keyward.scopes": "b" };
  expect((await client.present(narrow.secret, { path: "/v1/x", extensions: other })).reason).toBe("insufficient_scope");
});

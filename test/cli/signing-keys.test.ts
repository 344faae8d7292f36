import { decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward({ env: SIGNING_ENV });
});
afterAll(() => keyward.stop());

const KID = /^kwsk_[0-9A-Za-z]{20}$/;
const TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";

function rows(stdout: string): string[][] {
  return stdout.split("\n").map((line) => line.split(/ {2,}/));
}

describe("keys create --format jwt", () => {
  test("prints the whole token and the record, and what back ends do not see", async () => {
    const flags = ["--name", "report", "--format", "jwt", "--scopes", "a".repeat(120), "--scopes", "b".repeat(120)];
    const { code, stdout, stderr } = await keyward.cli("keys", "create", ...flags);
    expect([code, stderr]).toEqual([
      0,
      "The secret is shown this once; only its SHA-256 is stored.\n" +
        "Back ends that verify it by themselves see its claims, and neither that it is revoked nor later changes.\n",
    ]);
    const facts = Object.fromEntries(rows(stdout));
    expect(decodeProtectedHeader(facts.secret)).toEqual({ kid: expect.stringMatching(KID), typ: "JWT", alg: "RS256" });
    expect(facts).toMatchObject({ start: expect.stringMatching(/^jwt_/), format: "signed token (JWT, RS256)" });
  });

  test.each([
    { flags: ["--format", "jwt", "--alg", "ES256"], alg: "ES256" },
    { flags: ["--format", "jwt", "--alg", "EdDSA"], alg: "EdDSA" },
  ])("with $flags prints with -q the token alone", async ({ flags, alg }) => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "x", ...flags, "-q");
    expect([code, stderr]).toEqual([0, ""]);
    expect(decodeProtectedHeader(stdout.trim()).alg).toBe(alg);
    const got = await keyward.cli("keys", "get", stdout.trim(), "-o", "json");
    expect(JSON.parse(got.stdout).key).toMatchObject({ format: "KEY_FORMAT_JWT", alg });
  });

  test.each([
    { flags: ["--format", "opaque"], start: /^kw_/ },
    { flags: [], start: /^kw_/ },
  ])("differs from $flags", async ({ flags, start }) => {
    const { stdout } = await keyward.cli("keys", "create", "--name", "x", ...flags, "-q");
    expect(stdout).toMatch(start);
  });

  test.each([
    { flags: ["--format", "jwe"], message: /argument 'jwe' is invalid\. Allowed choices are opaque, jwt\./ },
    {
      flags: ["--format", "jwt", "--alg", "HS256"],
      message: /'HS256' is invalid\. Allowed choices are RS256, ES256, EdDSA/,
    },
    { flags: ["--alg", "ES256"], message: /^keyward: alg is for signed keys: it needs the format JWT$/m },
    { flags: ["--format", "jwt", "--prefix", "acme"], message: /^keyward: prefix is for opaque keys/m },
  ])("with $flags is a mistake in the command", async ({ flags, message }) => {
    const { code, stdout, stderr } = await keyward.cli("keys", "create", "--name", "x", ...flags);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  test("without an encryption key fails, and says why and which setting", async () => {
    const bare = await keywardForThisTest();
    const { code, stdout, stderr } = await bare.cli("keys", "create", "--name", "x", "--format", "jwt");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^keyward: signed keys \(JWT\) need an encryption key, .* encryption_key_file\n$/);
    expect((await bare.cli("signing-keys", "rotate")).stderr).toBe(stderr);
    expect((await bare.cli("keys", "create", "--name", "x", "-q")).code).toBe(0);
  });
});

describe("signing-keys rotate", () => {
  test("prints the new one, and what is still published of those before it", async () => {
    await keyward.cli("signing-keys", "rotate", "--alg", "EdDSA", "--withdraw-earlier");
    await keyward.cli("keys", "create", "--name", "x", "--format", "jwt", "--alg", "EdDSA", "--expires-in", "1h");
    const first = await keyward.cli("signing-keys", "rotate", "--alg", "EdDSA");
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(rows(first.stdout)).toEqual([
      ["kid", expect.stringMatching(KID)],
      ["alg", "EdDSA"],
      ["created", expect.stringMatching(new RegExp(`^${TIME}$`))],
      ["earlier", expect.stringMatching(new RegExp(`^kwsk_\\w{20}, published until ${TIME}$`))],
      [""],
    ]);
    await keyward.cli("keys", "create", "--name", "x", "--format", "jwt", "--alg", "EdDSA", "--expires-in", "never");
    const second = await keyward.cli("signing-keys", "rotate", "--alg", "EdDSA");
    const { earlier, kid } = Object.fromEntries(rows(second.stdout));
    expect(earlier).toBe(`${Object.fromEntries(rows(first.stdout)).kid}, published for good`);
    expect(kid).toMatch(KID);
  });

  test("with --withdraw-earlier leaves none of them, and says what is still to be done", async () => {
    await keyward.cli("keys", "create", "--name", "x", "--format", "jwt");
    const { code, stdout, stderr } = await keyward.cli("signing-keys", "rotate", "--withdraw-earlier", "-o", "json");
    expect([code, stderr]).toEqual([
      0,
      "Back ends refuse what earlier ones have signed once they fetch the JWKS again. Keyward takes it still: revoke the keys.\n",
    ]);
    const { signingKey, earlier } = JSON.parse(stdout);
    expect([signingKey.alg, earlier]).toEqual(["RS256", undefined]);
  });

  test("prints with -q the kid alone", async () => {
    const { stdout, stderr } = await keyward.cli(
      "signing-keys",
      "rotate",
      "--alg",
      "ES256",
      "--withdraw-earlier",
      "-q",
    );
    expect([stdout.trim(), stderr]).toEqual([expect.stringMatching(KID), ""]);
  });

  test("with another alg is a mistake in the command", async () => {
    const { code, stderr } = await keyward.cli("signing-keys", "rotate", "--alg", "none");
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are RS256, ES256, EdDSA.");
  });
});

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { EntryProblem, fromSecret } from "../../../src/cli/import/draft.ts";
import { readHash } from "../../../src/cli/import/hashes.ts";
import { secretOf } from "../../support/sample-keys.ts";

// Their base64 has all that base64url writes otherwise.
const SHA256 = Buffer.concat([Buffer.from("fbefbefb", "hex"), createHash("sha256").update("x").digest().subarray(4)]);
const SHA512 = Buffer.concat([Buffer.from("ffbfffbf", "hex"), createHash("sha512").update("x").digest().subarray(4)]);

describe("a hash is read", () => {
  test.each<[string, string, string, Buffer]>([
    ["SHA-256 in hex", SHA256.toString("hex"), "sha256", SHA256],
    ["SHA-256 in upper-case hex", SHA256.toString("hex").toUpperCase(), "sha256", SHA256],
    ["SHA-256 in base64", SHA256.toString("base64"), "sha256", SHA256],
    ["SHA-256 in base64url", SHA256.toString("base64url"), "sha256", SHA256],
    ["SHA-512 in hex", SHA512.toString("hex"), "sha512", SHA512],
    ["SHA-512 in base64", SHA512.toString("base64"), "sha512", SHA512],
    ["SHA-512 in base64url", SHA512.toString("base64url"), "sha512", SHA512],
  ])("as %s", (_, text, algorithm, bytes) => {
    expect(readHash(text)).toEqual({ case: algorithm, value: Uint8Array.from(bytes) });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["a digit less", SHA256.toString("hex").slice(1)],
    ["a digit more", `${SHA256.toString("hex")}0`],
    ["another character", `${SHA256.toString("hex").slice(1)}g`],
    ["a space before it", ` ${SHA256.toString("hex")}`],
    ["base64 with a character less", SHA256.toString("base64url").slice(1)],
    ["a bcrypt hash", "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"],
  ])("not as %s, and the text is not told", (_, text) => {
    const problem = `the hash has ${text.length} characters; it must be a SHA-256 or SHA-512 in hex, base64 or base64url`;
    expect(() => readHash(text)).toThrow(new EntryProblem(problem));
  });
});

describe("of a key in the clear is kept", () => {
  test("its SHA-256 and a quarter of it, eight characters at the most", () => {
    const shown = ["abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz0123456789", "abc"].map((text) => fromSecret(text));
    expect(shown.map(({ start, short }) => [start, short])).toEqual([
      ["abcd", false],
      ["abcdefgh", false],
      ["", true],
    ]);
    const digest = Uint8Array.from(createHash("sha256").update("abc").digest());
    expect(shown[2]?.hash).toEqual({ case: "sha256", value: digest });
  });

  test.each<[string, string, RegExp]>([
    ["nothing", "", /^the key has 0 characters; it must be 1 to 512 visible ASCII characters without ","$/],
    ["a space", "a b", /^the key has 3 characters/],
    ["a comma", "a,b", /^the key has 3 characters/],
    ["a line break", "ab\n", /^the key has 3 characters/],
    ["another script", "schlüssel", /^the key has 9 characters/],
    ["513 characters", "x".repeat(513), /^the key has 513 characters/],
    ["a reference to Kong's vault", "{vault://env/key}", /stands elsewhere/],
    ["a reference to APISIX's environment", "$env://KEY", /stands elsewhere/],
    ["an admin key", secretOf("x", "kwadm"), /admin key/],
  ])("nothing where it is %s", (_, text, problem) => {
    expect(() => fromSecret(text)).toThrow(problem);
  });

  test("all of 512 characters", () => {
    expect(fromSecret("x".repeat(512)).start).toBe("xxxxxxxx");
  });
});

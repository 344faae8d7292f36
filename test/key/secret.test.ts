import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BASE62_DIGITS, toBase62 } from "../../src/key/base62.ts";
import { isPrefix, isSecret, startOf, writeSecret } from "../../src/key/secret.ts";

const counting = Uint8Array.from({ length: 32 }, (_, index) => index);
const zeros = new Uint8Array(32);

/** Written by a program of another language, so that both ends of the form are held. */
const KEY = "kw_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf45YXCo";

describe("a written key", () => {
  test.each([
    ["of zeros is padded in front", "kw", zeros, "kw_00000000000000000000000000000000000000000004RAm10"],
    [
      "of the highest bits fills its 43 digits",
      "kw",
      new Uint8Array(32).fill(0xff),
      "kw_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11dzXoc",
    ],
    [
      "keeps a prefix with an underscore",
      "acme_live",
      counting,
      "acme_live_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3MpRGw",
    ],
    [
      "for an admin sums the other prefix",
      "kwadm",
      counting,
      "kwadm_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0ITPL2",
    ],
    [
      "pads a sum below 62^5",
      "kw",
      Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? 2 : 0)),
      "kw_00000000000000000000000000000000000000000020WAWRu",
    ],
  ])("%s", (_title, prefix, random, written) => {
    expect(writeSecret(prefix, random)).toBe(written);
    expect(isSecret(written)).toBe(true);
  });

  test("has its form, whatever the random bytes and the prefix", () => {
    const prefix = fc.stringMatching(/^[a-z0-9][a-z0-9_]{0,31}$/);
    fc.assert(
      fc.property(prefix, fc.uint8Array({ minLength: 32, maxLength: 32 }), (name, random) => {
        const secret = writeSecret(name, random);
        expect(secret).toMatch(/^[a-z0-9_]+_[0-9A-Za-z]{49}$/);
        expect(isSecret(secret)).toBe(true);
        const sum = [...secret.slice(-6)].reduce((total, digit) => total * 62 + BASE62_DIGITS.indexOf(digit), 0);
        expect(sum).toBe(crc32(secret.slice(0, -6)));
      }),
    );
  });

  test("shows its prefix and the first eight characters after it", () => {
    expect(startOf(KEY)).toBe("kw_003aUlTJ");
    expect(startOf("acme_live_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3MpRGw")).toBe("acme_live_003aUlTJ");
  });
});

describe("what is almost a key", () => {
  test("has not the form of a key with any one character changed to any other", () => {
    expect(isSecret(KEY)).toBe(true);
    const others = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code));
    const changed = [...KEY].flatMap((character, at) =>
      others.filter((other) => other !== character).map((other) => KEY.slice(0, at) + other + KEY.slice(at + 1)),
    );
    expect(changed).toHaveLength(KEY.length * 255);
    expect(changed.filter(isSecret)).toEqual([]);
  });

  test("has not the form of a key with two neighbours exchanged", () => {
    const exchanged = Array.from({ length: KEY.length - 1 }, (_, at) => {
      return KEY.slice(0, at) + KEY.charAt(at + 1) + KEY.charAt(at) + KEY.slice(at + 2);
    }).filter((text) => text !== KEY);
    expect(exchanged.length).toBeGreaterThan(40);
    expect(exchanged.filter(isSecret)).toEqual([]);
  });

  test("has not the form of a key when cut at either end, however short", () => {
    const cut = [...KEY].flatMap((_, at) => [KEY.slice(0, at), KEY.slice(at + 1)]);
    expect(cut.filter(isSecret)).toEqual([]);
  });

  test("has not the form of a key with any one character left out or doubled", () => {
    const uneven = [...KEY].flatMap((character, at) => [
      KEY.slice(0, at) + KEY.slice(at + 1),
      KEY.slice(0, at) + character + KEY.slice(at),
    ]);
    expect(uneven.filter(isSecret)).toEqual([]);
  });

  test.each([
    ["nothing", ""],
    ["a key twice in a row", KEY + KEY],
    ["a key in capitals", KEY.toUpperCase()],
    ["a key in small letters", KEY.toLowerCase()],
    ["a key after a space", ` ${KEY}`],
    ["a key before a space", `${KEY} `],
    ["a key with a space for its underscore", KEY.replace("_", " ")],
    ["a key before a line end", `${KEY}\n`],
    ["a key in quotes", `"${KEY}"`],
    ["a key under another's prefix", KEY.replace("kw_", "kwadm_")],
    ["a key without its prefix", KEY.slice(3)],
    ["a key without the name before its underscore", KEY.slice(2)],
    ["a sum that is 2^32 too high", "kw_000000000000000000000000000000000000000000097q1D4"],
    ["digits only", "0".repeat(52)],
    ["megabytes", `kw_${"0".repeat(2_000_000)}`],
  ])("%s has not the form of a key", (_title, text) => {
    expect(isSecret(text)).toBe(false);
  });

  test.each([
    ["of one character", "k", true],
    ["of no character", "", false],
    ["of 32 characters", "k".repeat(32), true],
    ["of 33 characters", "k".repeat(33), false],
    ["with a digit", "k2", true],
    ["with a capital", "kW", false],
    ["with an underscore", "a_b", true],
    ["with a hyphen", "a-b", false],
    ["with a dot", "a.b", false],
    ["with a letter that is not ASCII", "\u00e9", false],
  ])("a key under a prefix %s: %j has the form of a key is %s", (_title, prefix, form) => {
    expect(isSecret(writeSecret(prefix, counting))).toBe(form);
  });
});

test("a text with a character that is no digit is no key, even with the checksum that fits it", () => {
  const withChecksum = (text: string) => text + toBase62(BigInt(crc32(text)), 6);
  const digits = KEY.slice(0, -7);
  expect(isSecret(withChecksum(`${digits}0`))).toBe(true);
  expect(
    ["-", "_", " ", "\0", "/", ":", "@", "[", "`", "{"].filter((one) => isSecret(withChecksum(digits + one))),
  ).toEqual([]);
});

test("a text without an underscore behind the prefix is no key, even with the checksum that fits it", () => {
  const withChecksum = (text: string) => text + toBase62(BigInt(crc32(text)), 6);
  expect(isSecret(withChecksum(KEY.slice(0, -6)))).toBe(true);
  expect(isSecret(withChecksum(KEY.slice(0, -6).replace("_", "7")))).toBe(false);
});

describe("a text can be the prefix of data-plane keys", () => {
  test.each([
    ["a letter", "k", true],
    ["a digit", "7", true],
    ["nothing", "", false],
    ["the usual one", "kw", true],
    ["two words", "acme_live", true],
    ["three words", "acme_live_2", true],
    ["two underscores in a row", "acme__live", false],
    ["an underscore first", "_acme", false],
    ["an underscore last", "acme_", false],
    ["an underscore alone", "_", false],
    ["a capital", "Acme", false],
    ["a hyphen", "acme-live", false],
    ["a space", "acme live", false],
    ["a line end behind it", "acme\n", false],
    ["a letter that is not ASCII", "acm\u00e9", false],
    ["32 characters", "a".repeat(32), true],
    ["33 characters", "a".repeat(33), false],
    ["that of admin keys", "kwadm", false],
    ["that of admin keys and more", "kwadm_live", false],
    ["one that only begins like it", "kwadmin", true],
    ["one that ends like it", "my_kwadm", true],
  ])("%s: %j is %s", (_title, text, is) => {
    expect(isPrefix(text)).toBe(is);
    // What is allowed must be a key when it is written.
    expect(isPrefix(text) && !isSecret(writeSecret(text, counting))).toBe(false);
  });
});

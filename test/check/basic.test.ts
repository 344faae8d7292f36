import { describe, expect, test } from "vitest";
import { readBasic } from "../../src/check/basic.ts";

/** Base64 of a text that holds one character a byte. */
function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

describe("user name and password are read from", () => {
  test.each<[string, string, string, string]>([
    ["base64 without padding", base64("ab:cde"), "ab", "cde"],
    ["base64 with one character of padding", base64("ab:cd"), "ab", "cd"],
    ["base64 with two characters of padding", base64("a:bc"), "a", "bc"],
    ["base64 with + and /", "YTp+Yjo/", "a", "~b:?"],
    ["no user name", base64(":secret"), "", "secret"],
    ["no password", base64("user:"), "user", ""],
    ["a colon alone", base64(":"), "", ""],
    ["a password with colons: the first one separates", base64("a:b:c"), "a", "b:c"],
    ["spaces, which belong to both", base64(" a : b "), " a ", " b "],
    ["bytes that are not ASCII, one character each", base64("caf\xc3\xa9:\xff"), "caf\xc3\xa9", "\xff"],
    ["a user name of 10,000 characters", base64(`${"u".repeat(10_000)}:k`), "u".repeat(10_000), "k"],
  ])("%s", (_title, text, username, password) => {
    expect(readBasic(text)).toEqual({ username, password });
  });
});

describe("nothing is read from", () => {
  const sound = base64("a:bc");

  test.each<[string, string]>([
    ["nothing", ""],
    ["base64 of nothing", base64("")],
    ["no colon", base64("keyward")],
    ["an escaped colon", base64("a%3Ab")],
    ["a NUL in the user name", base64("a\0:b")],
    ["a NUL in the password", base64("a:b\0")],
    ["a NUL for the colon", base64("a\0b")],
    ["a tab", base64("a:b\t")],
    ["a line end", base64("a:b\n")],
    ["the last control character of ASCII", base64("a:b\x1f")],
    ["a DEL", base64("a:b\x7f")],
    ["padding that is missing", sound.replace(/=+$/, "")],
    ["half of the padding", sound.slice(0, -1)],
    ["padding that is not needed", `${base64("ab:cde")}=`],
    ["padding in the middle", `${sound}${sound}`],
    ["a space before it", ` ${sound}`],
    ["a space in it", `${sound.slice(0, 2)} ${sound.slice(2)}`],
    ["a line end behind it", `${sound}\n`],
    ["bits that are lost", "YTpiZB=="],
    ["the alphabet for URLs", "YTp-Yjo_"],
    ["a character outside of the alphabet", `${sound.slice(0, -4)}!${sound.slice(-3)}`],
    ["a letter that is not ASCII", `\xe9${sound.slice(1)}`],
    ["text that is not encoded", "a:bc"],
    ["a quoted text", `"${sound}"`],
  ])("%s", (_title, text) => {
    expect(readBasic(sound)).toEqual({ username: "a", password: "bc" });
    expect(readBasic(text)).toBeUndefined();
  });
});

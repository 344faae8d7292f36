import { expect, test } from "vitest";
import { type Flaw, flawOf } from "../../src/key/flaw.ts";
import { isSecret } from "../../src/key/secret.ts";
import { isToken, MAX_TOKEN_LENGTH } from "../../src/key/token.ts";
import { secretOf, tokenOf } from "../support/sample-keys.ts";

const KEY = secretOf("mine");
const LONG = secretOf("mine", "acme_live");
const TOKEN = tokenOf("mine");
const [header = "", payload = "", signature = ""] = TOKEN.split(".");
const last = (text: string) => (text.endsWith("0") ? "1" : "0");

test.each<[string, string, Flaw | undefined]>([
  ["a key without its last character is truncated", KEY.slice(0, -1), "truncated"],
  ["the start of a key is truncated", KEY.slice(0, 11), "truncated"],
  ["a prefix with its underscore is truncated", "kw_", "truncated"],
  ["a key of another prefix without its last character is truncated", LONG.slice(0, -1), "truncated"],
  ["a key with another last character is mistyped", `${KEY.slice(0, -1)}${last(KEY)}`, "mistyped"],
  ["a key with a character more is mistyped", `${KEY}0`, "mistyped"],
  ["a key with another character of its alphabet is mistyped", KEY.replace("kw_", "kv_"), "mistyped"],
  ["a key with a space in it is mistyped", `${KEY.slice(0, 9)} ${KEY.slice(9)}`, "mistyped"],
  ["the start of a key with a character that none has is mistyped", `${KEY.slice(0, 9)}-`, "mistyped"],
  ["a prefix without its underscore tells nothing", "kw", undefined],
  ["a key without its prefix tells nothing", KEY.slice(3), undefined],
  ["a key in capitals tells nothing", KEY.toUpperCase(), undefined],
  ["an underscore in front tells nothing", KEY.slice(2), undefined],
  ["nothing tells nothing", "", undefined],
  ["white space tells nothing", " ", undefined],
  ["two keys tell nothing", `${KEY} ${KEY}`, undefined],
  ["a long text tells nothing", `kw_${"a".repeat(65_536)}`, undefined],
  ["a token without its signature is truncated", `${header}.${payload}.`, "truncated"],
  ["a token without its last part is truncated", `${header}.${payload}`, "truncated"],
  ["a token cut in its claims is truncated", `${header}.${payload.slice(0, 5)}`, "truncated"],
  ["a token cut in its header is truncated", header.slice(0, 20), "truncated"],
  ["a token with padding is mistyped", `${TOKEN}=`, "mistyped"],
  ["a token with a space in it is mistyped", `${header}. ${payload}.${signature}`, "mistyped"],
  ["a token with a part too much is mistyped", `${TOKEN}.${signature}`, "mistyped"],
  ["a token without claims is mistyped", `${header}..${signature}`, "mistyped"],
  ["a token that is too long tells nothing", TOKEN + "a".repeat(MAX_TOKEN_LENGTH), undefined],
  ["another's token without its signature tells nothing", "eyJhbGciOiJub25lIn0.e30.", undefined],
])("%s", (_, text, flaw) => {
  expect([isSecret(text), isToken(text)]).toEqual([false, false]);
  expect(flawOf(text)).toBe(flaw);
});

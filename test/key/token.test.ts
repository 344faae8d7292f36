import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holdsSecret } from "../../src/key/secret.ts";
import { holdsToken, isOwnToken, isToken, MAX_TOKEN_LENGTH } from "../../src/key/token.ts";
import { tokenOf } from "../support/sample-keys.ts";

const TOKEN = tokenOf("a");
const FOREIGN = tokenOf("a", { alg: "RS256", kid: "kwsk_1" });
const [HEADER = "", PAYLOAD = "", SIGNATURE = ""] = TOKEN.split(".");

const encoded = (text: string) => Buffer.from(text).toString("base64url");

describe("a text has the form of a token:", () => {
  test.each([
    ["one of ours", TOKEN, true],
    ["another's", FOREIGN, true],
    ["the shortest", "a.b.c", true],
    ["every character of base64url", "ABYZabyz.0189.-_", true],
    ["as long as may be", `${"h".repeat(MAX_TOKEN_LENGTH - 4)}.p.s`, true],
    ["one character longer", `${"h".repeat(MAX_TOKEN_LENGTH - 3)}.p.s`, false],
    ["64 KiB", `h.p.${"s".repeat(65_536 - 4)}`, false],
    ["one part", HEADER, false],
    ["two parts", `${HEADER}.${PAYLOAD}`, false],
    ["four parts", `${TOKEN}.a`, false],
    ["five parts, as an encrypted token has", `${TOKEN}.a.b`, false],
    ["an empty header", `.${PAYLOAD}.${SIGNATURE}`, false],
    ["an empty payload, as a detached one has", `${HEADER}..${SIGNATURE}`, false],
    ["an empty signature, as one without algorithm has", `${HEADER}.${PAYLOAD}.`, false],
    ["a dot behind it", `${TOKEN}.`, false],
    ["a dot before it", `.${TOKEN}`, false],
    ["dots only", "..", false],
    ["nothing", "", false],
    ["a character of base64 that is none of base64url", `${HEADER}+.${PAYLOAD}.${SIGNATURE}`, false],
    ["its other one", `${HEADER}.${PAYLOAD}/.${SIGNATURE}`, false],
    ["padding", `${HEADER}.${PAYLOAD}.${SIGNATURE}=`, false],
    ["a space before it", ` ${TOKEN}`, false],
    ["a space behind it", `${TOKEN} `, false],
    ["a line end behind it", `${TOKEN}\n`, false],
    ["quotes around it", `"${TOKEN}"`, false],
    ["a letter that is not ASCII", `${HEADER}.${PAYLOAD}\u00e9.${SIGNATURE}`, false],
    ["a full-width dot", `${HEADER}\uff0e${PAYLOAD}.${SIGNATURE}`, false],
    ["JSON, as the other serialization is", `{"payload":"${PAYLOAD}"}`, false],
  ])("%s: %3$s", (_title, text, is) => {
    expect(isToken(text)).toBe(is);
  });

  test("exactly where a regular expression says so", () => {
    const texts = fc.stringMatching(/^[a-c_=.-]{0,12}$/);
    fc.assert(
      fc.property(texts, (text) => {
        expect(isToken(text)).toBe(/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text));
      }),
    );
  });
});

describe("a token has the form of those that we sign:", () => {
  const withHeader = (header: string) => `${encoded(header)}.${PAYLOAD}.${SIGNATURE}`;

  test.each([
    ["with the id of its key first", withHeader('{"kid":"kwsk_1","typ":"JWT","alg":"ES256"}'), true],
    ["with nothing but that", withHeader('{"kid":"kwsk_"}'), true],
    ["with another's id", withHeader('{"kid":"kwsj_1","typ":"JWT","alg":"ES256"}'), false],
    ["with another's id that is longer", withHeader('{"kid":"akwsk_1","alg":"ES256"}'), false],
    ["with the id behind something else", FOREIGN, false],
    ["with a space before the id", withHeader('{ "kid":"kwsk_1","alg":"ES256"}'), false],
    ["with a space within", withHeader('{"kid": "kwsk_1","alg":"ES256"}'), false],
    ["with its first character changed", `f${TOKEN.slice(1)}`, false],
    ["with the last character of what tells it changed", `${TOKEN.slice(0, 15)}s${TOKEN.slice(16)}`, false],
    ["with the one behind that changed", `${TOKEN.slice(0, 16)}Y${TOKEN.slice(17)}`, true],
    ["with its last character changed", `${TOKEN.slice(0, -1)}${TOKEN.endsWith("A") ? "B" : "A"}`, true],
    ["without its signature", `${HEADER}.${PAYLOAD}.`, false],
    ["without its payload", `${HEADER}..${SIGNATURE}`, false],
    ["with a character too much for a token", `${TOKEN}=`, false],
    ["longer than a token is", `${TOKEN}${"a".repeat(MAX_TOKEN_LENGTH)}`, false],
  ])("%s: %3$s", (_title, text, is) => {
    expect(isOwnToken(text)).toBe(is);
  });
});

describe("a token of ours is found in a longer text:", () => {
  test.each([
    ["alone", TOKEN, true],
    ["in a sentence", `the old one was ${TOKEN}.`, true],
    ["in a header", `Authorization: Bearer ${TOKEN}`, true],
    ["in a line of its own", `a\n${TOKEN}\nb`, true],
    ["joined to a name", `KEY_${TOKEN}`, true],
    ["right behind a letter", `x${TOKEN}`, true],
    ["right before a letter", `${TOKEN}x`, true],
    ["behind a dot", `a.${TOKEN}`, true],
    ["before a dot", `${TOKEN}.a`, true],
    ["behind a whole token of another's", `${FOREIGN}.${TOKEN}`, true],
    ["behind one that was cut", `${HEADER}.${PAYLOAD} ${TOKEN}`, true],
    ["behind a header", `${HEADER}.${TOKEN}`, true],
    ["behind a header and a payload", `${HEADER}.${PAYLOAD}.${TOKEN}`, true],
    ["between umlauts", `\u00e4${TOKEN}\u00f6`, true],
    ["cut before its signature", `${HEADER}.${PAYLOAD}.`, false],
    ["cut before its last dot", `${HEADER}.${PAYLOAD}`, false],
    ["its header alone", HEADER, false],
    ["without its payload", `${HEADER}..${SIGNATURE}`, false],
    ["with its first character changed", `f${TOKEN.slice(1)}`, false],
    ["with a space for a dot", TOKEN.replace(".", " "), false],
    ["with a space for the other", `${HEADER}.${PAYLOAD} ${SIGNATURE}`, false],
    ["another's", `Bearer ${FOREIGN}`, false],
    ["nothing", "", false],
  ])("%s: %3$s", (_title, text, is) => {
    expect(holdsToken(text)).toBe(is);
    expect(holdsSecret(text)).toBe(is);
  });

  test("in time that grows with the length of the text only", () => {
    const begun = HEADER.slice(0, 16).repeat(500_000);
    expect([holdsToken(begun), holdsToken(`${begun}.${begun}`), holdsToken(`${begun}.${begun}.a`)]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { BASE62_DIGITS } from "../../src/key/base62.ts";
import { ADMIN_PREFIX, DEFAULT_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { tokenOf } from "../support/sample-keys.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const newSecret = (prefix = DEFAULT_PREFIX) =>
  writeSecret(prefix, crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));

/** The same with the next digit at its end: no key any more, only a text that looks like one, and so when done twice. */
const spoiled = (secret: string) =>
  secret.slice(0, -1) + BASE62_DIGITS.charAt((BASE62_DIGITS.indexOf(secret.slice(-1)) + 1) % BASE62_DIGITS.length);

const HELD = "holds a whole key, which would be stored in the clear";
const CREATE = "KeyService/CreateKey";
const LIST = "KeyService/ListKeys";
const CREATE_ADMIN = "AdminKeyService/CreateAdminKey";
const CREATE_OWNER = "OwnerService/CreateOwner";

describe("a whole key within a longer text is found:", () => {
  test.each<[string, (secret: string) => string]>([
    ["alone", (secret) => secret],
    ["in a sentence", (secret) => `the old one was ${secret}.`],
    ["in a line of its own", (secret) => `a\n${secret}\nb`],
    ["in a header", (secret) => `Authorization: Bearer ${secret}`],
    ["in a setting", (secret) => `KEY=${secret}`],
    ["in a setting, joined to its name", (secret) => `KEY_${secret}`],
    ["joined to a name in small letters", (secret) => `old_${secret}`],
    ["right behind a letter", (secret) => `x${secret}`],
    ["right before a letter", (secret) => `${secret}x`],
    ["right before an underscore", (secret) => `${secret}_old`],
    ["right behind a text that looks like one", (secret) => `${spoiled(secret)}${secret}`],
    ["between umlauts", (secret) => `ä${secret}ö`],
  ])("%s", async (_, textWith) => {
    for (const secret of [newSecret(), newSecret(ADMIN_PREFIX), newSecret("acme_live")]) {
      const { refused } = await served().post(CREATE, { name: "x", note: textWith(secret) });
      expect(refused).toMatchObject({ code: "invalid_argument", fields: ["note"], descriptions: [HELD] });
      expect(await served().post(CREATE, { name: "x", note: textWith(spoiled(secret)) })).toMatchObject({
        status: 200,
      });
    }
  });
});

describe("a whole key is refused by its field and stands in no part of the refusal:", () => {
  /** `twin` is how the call ends where the last character is another: what is not that field's form is refused as such. */
  test.each<[field: string, method: string, bodyOf: (secret: string) => object, twin: number]>([
    ["name", CREATE, (name) => ({ name }), 200],
    ["tenant", CREATE, (tenant) => ({ name: "x", tenant }), 400],
    ["owner", CREATE, (owner) => ({ name: "x", owner }), 400],
    ["owner", CREATE, (secret) => ({ name: "x", owner: `user/${secret}` }), 200],
    ["note", CREATE, (note) => ({ name: "x", note }), 200],
    ["scopes", CREATE, (secret) => ({ name: "x", scopes: ["api:read", secret] }), 200],
    ["paths", CREATE, (secret) => ({ name: "x", paths: [secret] }), 400],
    ["paths", CREATE, (secret) => ({ name: "x", paths: [`/v1/${secret}`] }), 200],
    ["name", CREATE_ADMIN, (name) => ({ name }), 200],
    ["scopes", CREATE_ADMIN, (secret) => ({ name: "x", scopes: ["keys:read", secret] }), 400],
    ["display_name", CREATE_OWNER, (displayName) => ({ owner: "user/a", displayName }), 200],
    ["owner", CREATE_OWNER, (secret) => ({ owner: `user/${secret}` }), 200],
    ["scopes", CREATE_OWNER, (secret) => ({ owner: "user/b", scopes: ["api:read", secret] }), 200],
    ["owner", "OwnerService/GetOwner", (owner) => ({ owner }), 400],
    ["tenant", "OwnerService/ListOwners", (tenant) => ({ tenant }), 400],
    ["filter", LIST, (secret) => ({ filter: `owner = "user/${secret}"` }), 200],
    ["filter", LIST, (filter) => ({ filter }), 400],
  ])("%s of %s", async (field, method, bodyOf, twin) => {
    const secret = newSecret();
    const { status, refused } = await served().post(method, bodyOf(secret));
    expect({ status, refused }).toMatchObject({ status: 400, refused: { code: "invalid_argument", fields: [field] } });
    expect(refused?.descriptions).toEqual([HELD]);
    expect(JSON.stringify(refused) + refused?.message).not.toContain(secret.slice(12, 40));
    const other = await served().post(method, bodyOf(spoiled(secret)));
    expect([other.status, other.refused?.descriptions.includes(HELD) ?? false]).toEqual([twin, false]);
  });

  test("reason of KeyService/RevokeKey, and the key stays as it was", async () => {
    const { answer } = await served().post(CREATE, { name: "x" });
    const { id } = answer.key as { id: string };
    const reason = `leaked: ${answer.secret}`;
    const { refused } = await served().post("KeyService/RevokeKey", { key: id, reason });
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["reason"], descriptions: [HELD] });
    const { answer: shown } = await served().post("KeyService/GetKey", { key: id });
    expect(shown.key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
    expect(await served().post("KeyService/RevokeKey", { key: id, reason: spoiled(reason) })).toMatchObject({
      status: 200,
    });
  });
});

test.each(["KeyService/GetKey", "KeyService/RevokeKey"])("a whole key names itself to %s", async (method) => {
  const { answer } = await served().post(CREATE, { name: "x" });
  const { id } = answer.key as { id: string };
  expect(await served().post(method, { key: answer.secret })).toMatchObject({ status: 200, answer: { key: { id } } });
});

test.each<[string, (token: string) => string, boolean]>([
  ["alone", (token) => token, true],
  ["in a sentence", (token) => `the old one was ${token}.`, true],
  ["joined to a name", (token) => `KEY_${token}`, true],
  ["without its signature", (token) => token.slice(0, token.lastIndexOf(".")), false],
  ["with its first character changed, which is another's token", (token) => `f${token.slice(1)}`, false],
])("a signed key within a longer text is found: %s is %3$s", async (_, textWith, found) => {
  const { refused } = await served().post(CREATE, { name: "x", note: textWith(tokenOf("a")) });
  expect(refused?.descriptions ?? []).toEqual(found ? [HELD] : []);
});

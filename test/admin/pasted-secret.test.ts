import { describe, expect, test } from "vitest";
import { ADMIN_PREFIX, DEFAULT_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const secret = (prefix = DEFAULT_PREFIX) =>
  writeSecret(prefix, crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));

/** The same with another last character: no key any more, only a text that looks like one. */
const spoiled = (text: string) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");

const CREATE = "KeyService/CreateKey";

describe("a whole key in a field that is kept is refused by that field", () => {
  test.each<[field: string, method: string, bodyOf: (key: string) => object]>([
    ["name", CREATE, (name) => ({ name })],
    ["name", CREATE, (key) => ({ name: `the old one was ${key}.` })],
    ["note", CREATE, (note) => ({ name: "x", note })],
    ["owner", CREATE, (key) => ({ name: "x", owner: `user/${key}` })],
    ["scopes", CREATE, (key) => ({ name: "x", scopes: ["api:read", key] })],
    ["paths", CREATE, (key) => ({ name: "x", paths: [`/v1/${key}`] })],
    ["name", "AdminKeyService/CreateAdminKey", (name) => ({ name })],
  ])("%s of %s", async (field, method, bodyOf) => {
    for (const key of [secret(), secret(ADMIN_PREFIX), secret("acme_live")]) {
      const { refused } = await served().post(method, bodyOf(key));
      expect(refused).toMatchObject({ code: "invalid_argument", fields: [field] });
      expect(refused?.descriptions).toEqual(["holds a whole key, which would be stored in the clear"]);
      expect(refused?.message).not.toContain(key.slice(0, 12));
      expect(await served().post(method, bodyOf(spoiled(key)))).toMatchObject({ status: 200 });
    }
  });

  test("reason of KeyService/RevokeKey, and the key stays", async () => {
    const { answer } = await served().post(CREATE, { name: "x" });
    const { id } = answer.key as { id: string };
    const { refused } = await served().post("KeyService/RevokeKey", { key: id, reason: `leaked: ${answer.secret}` });
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["reason"] });
    const shown = await served().post("KeyService/GetKey", { key: id });
    expect(shown.answer.key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });
});

test("a whole key names itself where a call asks for a key", async () => {
  const { answer } = await served().post(CREATE, { name: "x" });
  expect(await served().post("KeyService/GetKey", { key: answer.secret })).toMatchObject({ status: 200 });
});

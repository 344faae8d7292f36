import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { checkClientForThisTest } from "../support/for-this-test.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const create = (prefix: string) => served().post("KeyService/CreateKey", { name: "k", prefix });

const LONGEST = "a".repeat(32);

describe("the secret of a key", () => {
  test.each<[title: string, prefix: string]>([
    ["one letter", "a"],
    ["one digit", "0"],
    ["words", "acme_live"],
    ["digits and letters", "9a_0_z9"],
    ["32 characters", LONGEST],
    ["the one that it would have anyway", "kw"],
    ["more letters than that of admin keys", "kwadmx"],
    ["fewer letters than that of admin keys", "kwad"],
    ["that of admin keys behind a word", "x_kwadm"],
  ])("begins with the prefix that was asked for: %s", async (_, prefix) => {
    const { status, answer } = await create(prefix);
    expect(status).toBe(200);
    expect(answer.secret).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{49}$`));
    const { id, start } = answer.key as JsonObject;
    expect(start).toBe(String(answer.secret).slice(0, prefix.length + 9));
    for (const name of [start, answer.secret, String(start).slice(-8)]) {
      const found = await served().post("KeyService/GetKey", { key: name });
      expect(found).toMatchObject({ status: 200, answer: { key: { id } } });
    }
  });

  test("begins with kw where no prefix is asked for", async () => {
    expect((await create("")).answer.secret).toMatch(/^kw_[0-9A-Za-z]{49}$/);
  });

  test.each<[title: string, prefix: string]>([
    ["33 characters", `${LONGEST}a`],
    ["that of admin keys", "kwadm"],
    ["that of admin keys and a word", "kwadm_x"],
    ["an underscore before it", "_acme"],
    ["an underscore behind it", "acme_"],
    ["two underscores together", "acme__live"],
    ["an underscore alone", "_"],
    ["an upper-case letter", "Acme"],
    ["a hyphen", "acme-live"],
    ["a dot", "acme.live"],
    ["a space", "acme live"],
    ["a letter that is not ASCII", "zürich"],
    ["a line break behind it", "acme\n"],
    ["a zero byte", "acme\0"],
  ])("never begins with a prefix of %s", async (_, prefix) => {
    const { status, refused } = await create(prefix);
    const form = '1 to 32 of a-z, 0-9 and "_", no "_" at either end or twice in a row, and not kwadm';
    expect({ status, refused }).toMatchObject({
      status: 400,
      refused: {
        code: "invalid_argument",
        reason: "INVALID_ARGUMENT",
        fields: ["prefix"],
        descriptions: [`${JSON.stringify(prefix)} must be ${form}`],
      },
    });
  });

  test("never begins with another whole key, which the refusal does not repeat", async () => {
    const secret = writeSecret("kw", crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));
    const { refused } = await create(secret);
    expect(refused).toMatchObject({
      fields: ["prefix"],
      descriptions: ["holds a whole key, which would be stored in the clear"],
    });
    expect(JSON.stringify(refused) + refused?.message).not.toContain(secret.slice(12, 40));
  });
});

test.each([["a"], ["acme_live"], ["kwadmx"], [LONGEST]])(
  "a key of the prefix %s opens, and so does its successor, which keeps the prefix",
  async (prefix) => {
    const client = checkClientForThisTest(served().keyward.authz);
    const { answer } = await create(prefix);
    const { id } = answer.key as JsonObject;
    const secret = String(answer.secret);
    expect(await client.present(secret)).toMatchObject({ answer: "ok", headers: { "x-keyward-key-id": id } });
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    expect(await client.present(mistyped)).toMatchObject({ answer: "denied", reason: "malformed_credential" });

    const rotated = await served().post("KeyService/RotateKey", { key: secret });
    expect(rotated.answer.secret).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{49}$`));
    const { id: successor } = rotated.answer.key as JsonObject;
    expect(await client.present(String(rotated.answer.secret))).toMatchObject({
      answer: "ok",
      headers: { "x-keyward-key-id": successor },
    });
  },
);

test("the prefix of another key makes a secret malformed: it is part of the checksum", async () => {
  const client = checkClientForThisTest(served().keyward.authz);
  const { answer } = await create("acme_live");
  const moved = String(answer.secret).replace("acme_live_", "acme_test_");
  expect(await client.present(moved)).toMatchObject({ answer: "denied", reason: "malformed_credential" });
});

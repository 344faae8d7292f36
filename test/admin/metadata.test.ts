import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const create = (metadata: object) => served().post("KeyService/CreateKey", { name: "k", metadata });

/** The record that a call which must not be refused answers with. */
async function recordOf(method: string, request: object): Promise<JsonObject> {
  const { status, answer } = await served().post(`KeyService/${method}`, request);
  expect(status).toBe(200);
  return answer.key as JsonObject;
}

const counted = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, `${at}`]));
/** An entry of whatever name: `{ __proto__: … }` in source text would set the prototype instead. */
const entry = (name: string, value = "v") => Object.fromEntries([[name, value]]);

const NAME_FORM = "it must be 1 to 64 of A-Z, a-z, 0-9 and . _ / -";
const CONTROL = "must hold no control characters";

type Row = [title: string, metadata: object, field?: string, description?: string];
/** Metadata, and the violation with which it is refused; none: a key keeps just this. */
const ROWS: Row[] = [
  ["an entry", { team: "payments" }],
  ["an empty name beside it", { team: "payments", "": "x" }, "metadata", `has the name ""; ${NAME_FORM}`],
  ["50 entries", counted(50)],
  ["51 entries", counted(51), "metadata", "has 51 items; it must have <= 50"],

  ["a name of 1 character", entry("a")],
  ["a name of 64 characters", entry("a".repeat(64))],
  ["a name of 65 characters", entry("a".repeat(65)), "metadata", `has the name "${"a".repeat(60)}…"; ${NAME_FORM}`],
  ["a name of every sign that may stand in it", entry("Az09._/-")],
  ["a name with a space", entry("cost center"), "metadata", `has the name "cost center"; ${NAME_FORM}`],
  ["a name with a colon", entry("cost:center"), "metadata", `has the name "cost:center"; ${NAME_FORM}`],
  ["a name with an equals sign", entry("a=b"), "metadata", `has the name "a=b"; ${NAME_FORM}`],
  ["a name with brackets", entry("a[0]"), "metadata", `has the name "a[0]"; ${NAME_FORM}`],
  ["a name that is not ASCII", entry("zürich"), "metadata", `has the name "zürich"; ${NAME_FORM}`],
  ["a name with a line break after it", entry("team\n"), "metadata", `has the name "team\\n"; ${NAME_FORM}`],
  ["a name with a zero byte", entry("a\0b"), "metadata", `has the name "a\\u0000b"; ${NAME_FORM}`],

  ["a name that JavaScript's objects have", entry("constructor")],
  ["a name that sets JavaScript's prototypes", { ...entry("__proto__", "x"), a: "b" }],
  ["that name with a value that is none", entry("__proto__", "a\nb"), "metadata[__proto__]", CONTROL],
  ["names that differ in case", { team: "a", Team: "b" }],

  ["an empty value", entry("team", "")],
  ["a value of 500 characters", entry("team", "x".repeat(500))],
  [
    "a value of 501 characters",
    entry("team", "x".repeat(501)),
    "metadata[team]",
    "has 501 characters; it must have <= 500",
  ],
  ["a value of 500 characters outside the basic plane", entry("team", "🔑".repeat(500))],
  [
    "a value of 501 characters outside the basic plane",
    entry("team", "🔑".repeat(501)),
    "metadata[team]",
    "has 501 characters; it must have <= 500",
  ],
  ["a value with spaces, quotation marks and a backslash", entry("team", ' a "b" \\ ')],
  ["a value with a tab", entry("team", "a\tb"), "metadata[team]", CONTROL],
  ["a value with a line break", entry("team", "a\nb"), "metadata[team]", CONTROL],
  ["a value with a C1 control character", entry("team", "a\u0085b"), "metadata[team]", CONTROL],
];

describe("metadata", () => {
  test.each<Row>(ROWS.filter((row) => row.length === 2))("%s is kept", async (_, metadata) => {
    const { status, answer } = await create(metadata);
    expect(status).toBe(200);
    const { id, metadata: kept } = answer.key as JsonObject;
    expect(Object.entries(kept as JsonObject).sort()).toEqual(Object.entries(metadata).sort());
    expect(await recordOf("GetKey", { key: id })).toEqual(answer.key);
  });

  test.each<Row>(ROWS.filter((row) => row.length > 2))("%s is refused", async (_, metadata, field, description) => {
    const { status, refused } = await create(metadata);
    expect({ status, refused }).toMatchObject({
      status: 400,
      refused: {
        code: "invalid_argument",
        reason: "INVALID_ARGUMENT",
        fields: [field],
        descriptions: [description],
        message: `${field} ${description}`,
      },
    });
  });

  test("every entry that is wrong is named", async () => {
    const { refused } = await create({ a: "x\ny", b: "fine", c: "x".repeat(501) });
    expect(refused).toMatchObject({
      fields: ["metadata[a]", "metadata[c]"],
      descriptions: [CONTROL, "has 501 characters; it must have <= 500"],
    });
  });

  test.each<[title: string, body: string]>([
    ["a value that is a number", '{"name":"k","metadata":{"a":1}}'],
    ["a value that is null", '{"name":"k","metadata":{"a":null}}'],
    ["a list", '{"name":"k","metadata":["a"]}'],
  ])("%s is an invalid argument", async (_, body) => {
    const { status, refused } = await served().post("KeyService/CreateKey", body);
    expect([status, refused?.code]).toEqual([400, "invalid_argument"]);
  });

  test.each<[place: string, metadataWith: (secret: string) => object]>([
    ["a name", (secret) => entry(secret)],
    ["a value", (secret) => entry("old", secret)],
    ["the middle of a value", (secret) => ({ team: "a", old: `was ${secret}, gone` })],
  ])("a whole key in %s is refused and stands in no part of the refusal", async (_, metadataWith) => {
    const secret = writeSecret("kw", crypto.getRandomValues(new Uint8Array(SECRET_RANDOM_BYTES)));
    const { refused } = await create(metadataWith(secret));
    expect(refused).toMatchObject({
      code: "invalid_argument",
      fields: ["metadata"],
      descriptions: ["holds a whole key, which would be stored in the clear"],
    });
    expect(JSON.stringify(refused) + refused?.message).not.toContain(secret.slice(12, 40));
    const cut = metadataWith(secret.slice(0, -1));
    expect((await create(cut)).status).toBe(200);
  });

  test("an update replaces all entries", async () => {
    const { answer } = await create({ a: "1", b: "2" });
    const { id } = answer.key as JsonObject;
    const request = { key: id, updateMask: "metadata", metadata: { b: "3" } };
    expect((await recordOf("UpdateKey", request)).metadata).toEqual({ b: "3" });
  });

  test("a key without any has none", async () => {
    const { answer } = await create({});
    expect(answer.key).not.toHaveProperty("metadata");
  });
});

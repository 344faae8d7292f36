import type { JsonObject } from "@bufbuild/protobuf";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const post = (method: string, request: object) => served().post(`KeyService/${method}`, request);
const rateLimit = { requests: 5, window: "60s" };

test("one rate limit more than there can be is refused as exhausted, until a key that has one is revoked", async () => {
  const [one, last, without] = await Promise.all([
    post("CreateKey", { name: "one", rateLimit }),
    post("CreateKey", { name: "last", rateLimit }),
    post("CreateKey", { name: "without" }),
  ]);
  const idOf = ({ answer }: typeof one) => (answer.key as JsonObject).id;
  // The store counts up to here by itself, but for a million keys.
  const db = new Database(served().keyward.database);
  db.prepare("UPDATE keys SET rate_cell = ? WHERE id = ?").run(2 ** 20 - 1, idOf(last));
  db.close();

  const refused = {
    status: 429,
    refused: {
      code: "resource_exhausted",
      reason: "TOO_MANY_RATE_LIMITS",
      message: "1048576 keys have a rate limit, and no more can; revoke one that has, or leave rate_limit out",
    },
  };
  const create = { name: "one more", rateLimit };
  expect(await post("CreateKey", create)).toMatchObject(refused);
  expect(await post("UpdateKey", { key: idOf(without), updateMask: "rateLimit", rateLimit })).toMatchObject(refused);
  expect(served().keyward.log()).not.toContain("an admin call failed");
  const { code, stderr } = await served().keyward.cli("keys", "create", "--name", "k", "--rate-limit", "5/60s");
  expect([code, stderr]).toEqual([1, `keyward: ${refused.refused.message}\n`]);

  expect(await post("CreateKey", { name: "without" })).toMatchObject({ status: 200 });
  expect(await post("RotateKey", { key: idOf(one) })).toMatchObject({ status: 200, answer: { key: { rateLimit } } });
  expect(await post("RevokeKey", { key: idOf(last) })).toMatchObject({ status: 200 });
  expect(await post("CreateKey", create)).toMatchObject({ status: 200, answer: { key: { rateLimit } } });
  expect(await post("CreateKey", create)).toMatchObject(refused);
});

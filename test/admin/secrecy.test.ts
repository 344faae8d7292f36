import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({ flags: ["--log-level", "trace"] });

/** What no answer after the first, no log line and no file may hold. */
const hidden: string[] = [];
const ids: { key: string; adminKey: string } = { key: "", adminKey: "" };
const secrets: { key: string; adminKey: string } = { key: "", adminKey: "" };

beforeAll(async () => {
  const made = await served().post("KeyService/CreateKey", { name: "canary", owner: "service/canary" });
  const admin = await served().post("AdminKeyService/CreateAdminKey", { name: "canary" });
  [secrets.key, secrets.adminKey] = [String(made.answer.secret), String(admin.answer.secret)];
  ids.key = (made.answer.key as { id: string }).id;
  ids.adminKey = (admin.answer.key as { id: string }).id;
  for (const secret of [secrets.key, secrets.adminKey]) {
    // A start of eight characters is meant to be seen; one more is not.
    const beyondStart = secret.slice(0, secret.indexOf("_") + 10);
    hidden.push(beyondStart, secret.slice(-20), createHash("sha256").update(secret).digest("hex"));
  }
});

function expectNothingHidden(text: string): void {
  expect(hidden.filter((canary) => text.includes(canary))).toEqual([]);
}

test("the answer to the creation has the secret, and only beside the record", async () => {
  const { answer } = await served().post("KeyService/CreateKey", { name: "x" });
  const { secret, ...others } = answer;
  expect(secret).toMatch(/^kw_[0-9A-Za-z]{49}$/);
  expect(JSON.stringify(others)).not.toContain(String(secret).slice(0, 12));
});

test.each<[method: string, body: () => object]>([
  ["KeyService/GetKey", () => ({ key: ids.key })],
  ["KeyService/GetKey", () => ({ key: secrets.key })],
  ["KeyService/ListKeys", () => ({})],
  ["KeyService/RevokeKey", () => ({ key: secrets.key })],
  ["KeyService/ExplainCheck", () => ({ key: secrets.key, method: "GET", path: "/" })],
  ["KeyService/ExplainCheck", () => ({ key: secrets.adminKey, method: "GET", path: "/" })],
  ["KeyService/ExplainCheck", () => ({ key: `${secrets.key}x`, presented: true, method: "GET", path: "/" })],
  ["KeyService/VerifyKey", () => ({ key: secrets.key })],
  ["KeyService/VerifyKey", () => ({ key: secrets.adminKey })],
  ["KeyService/VerifyKey", () => ({ key: `${secrets.key}x` })],
  ["AdminKeyService/ListAdminKeys", () => ({})],
  ["AdminKeyService/RevokeAdminKey", () => ({ key: secrets.adminKey })],
  ["SystemService/GetStatus", () => ({})],
])("the answer of %s holds no secret and no digest", async (method, body) => {
  const { status, answer } = await served().post(method, body());
  expect(status).toBe(200);
  expectNothingHidden(JSON.stringify(answer));
});

test.each<[title: string, method: string, body: () => object]>([
  ["a key that is not there", "KeyService/GetKey", () => ({ key: secrets.adminKey })],
  ["an admin key that is not there", "AdminKeyService/RevokeAdminKey", () => ({ key: secrets.key })],
  ["a mistyped key", "KeyService/GetKey", () => ({ key: secrets.key.replace("kw_", "kw_x_") })],
  ["a key's name that is too long", "KeyService/RevokeKey", () => ({ key: secrets.key.repeat(3) })],
  ["a foreign page token", "KeyService/ListKeys", () => ({ pageToken: secrets.key })],
])("the refusal of %s does not repeat it", async (_, method, body) => {
  const { refused } = await served().post(method, body());
  expect(refused?.code).toMatch(/^(not_found|invalid_argument)$/);
  expectNothingHidden(`${refused?.message} ${JSON.stringify(refused)}`);
});

test("the log at its most talkative holds no secret and no digest", () => {
  expect(served().keyward.log()).toContain('"msg":"serving"');
  expectNothingHidden(served().keyward.log());
});

test("the database and its log hold no secret; that they are looked at in plain text shows in the owner", () => {
  const { folder } = served().keyward;
  const files = readdirSync(folder).filter((name) => name.startsWith("keyward.db") && !name.endsWith(".sock"));
  expect(files).toContain("keyward.db-wal");
  const text = files.map((name) => readFileSync(join(folder, name), "latin1")).join("");
  expect(text).toContain("service/canary");
  expectNothingHidden(text);
});

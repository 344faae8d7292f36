import { afterAll, beforeAll, expect, test } from "vitest";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward();
});
afterAll(() => keyward.stop());

const create = (...flags: string[]) => keyward.cli("keys", "create", "--name", "x", ...flags, "-o", "json");

const DAY = 86_400;

test.each([
  ["600", 600],
  ["600s", 600],
  ["10m", 600],
  ["24h", DAY],
  ["90d", 90 * DAY],
  ["1000ms", 1],
  ["36525d", 36_525 * DAY],
])("--expires-in %s makes a key of %i seconds", async (text, seconds) => {
  const { code, stdout } = await create("--expires-in", text);
  expect(code).toBe(0);
  const { createdAt, expiresAt } = JSON.parse(stdout).key as { createdAt: string; expiresAt: string };
  expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(seconds * 1000);
});

test.each([["--expires-in", "never"], []])("%s %s makes a key that never expires", async (...flags) => {
  const { code, stdout } = await create(...flags);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).key).not.toHaveProperty("expiresAt");
});

test.each([
  ["2999-12-31T23:59:59Z", "2999-12-31T23:59:59Z"],
  ["2999-12-31T23:59:59.5Z", "2999-12-31T23:59:59.500Z"],
  ["2999-12-31t23:59:59z", "2999-12-31T23:59:59Z"],
  ["2999-12-31T23:59:59+02:00", "2999-12-31T21:59:59Z"],
])("--expires-in %s makes a key that ends at %s", async (text, expiresAt) => {
  const { code, stdout } = await create("--expires-in", text);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).key).toMatchObject({ expiresAt });
});

test.each([
  "90 d",
  "90D",
  "1h30m",
  "1.5h",
  "-1",
  "",
  "soon",
  "Never",
  "2999-12-31",
  "2999-12-31T23:59:59",
  "2999-12-31 23:59:59Z",
  "2999-13-01T00:00:00Z",
])("--expires-in %j is refused with exit code 2", async (text) => {
  const { code, stdout, stderr } = await create(`--expires-in=${text}`);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(
    /^keyward: --expires-in .* must be a (duration such as 600 \(seconds\), 10m|time such as 2026)/,
  );
});

test.each([
  ["0", "expires_in must be whole seconds >= 1 and <= 3155760000"],
  ["500ms", "expires_in must be whole seconds >= 1 and <= 3155760000"],
  ["36526d", "expires_in must be whole seconds >= 1 and <= 3155760000"],
  ["2001-02-03T04:05:06Z", "expires_at 2001-02-03T04:05:06.000Z must be in the future"],
])("--expires-in %s is out of bounds, with exit code 2", async (text, message) => {
  expect(await create("--expires-in", text)).toEqual({ code: 2, stdout: "", stderr: `keyward: ${message}\n` });
});

test("--not-before makes a key that begins then", async () => {
  const { stdout } = await create("--not-before", "2999-12-31T23:59:59Z");
  expect(JSON.parse(stdout).key).toMatchObject({ notBefore: "2999-12-31T23:59:59Z" });
});

test.each(["90d", "never", "2999-12-31", ""])("--not-before %j is refused with exit code 2", async (text) => {
  expect(await create(`--not-before=${text}`)).toEqual({
    code: 2,
    stdout: "",
    stderr: `keyward: --not-before ${text} must be a time such as 2026-12-31T23:59:59Z\n`,
  });
});

test("a key that would end before it begins is refused with exit code 2", async () => {
  const answer = await create("--not-before", "2999-01-01T00:00:00Z", "--expires-in", "90d");
  expect(answer).toEqual({ code: 2, stdout: "", stderr: "keyward: expires_in must be later than not_before\n" });
});

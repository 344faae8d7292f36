import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";
import { linesOf, NOT_RELOADED, reload, reloadsOf, replaceFile } from "./support/reload.ts";

const OPEN = `routes: [{ path: "/a", access: public }]\n`;
const CLOSED = `routes: [{ path: "/a", access: deny }]\n`;

const CHANGES: [title: string, change: (path: string, content: string) => void][] = [
  ["written in place", (path, content) => writeFileSync(path, content)],
  ["replaced by a rename", replaceFile],
  [
    "moved away and written anew, as an editor saves",
    (path, content) => {
      renameSync(path, `${path}~`);
      writeFileSync(path, content);
      unlinkSync(`${path}~`);
    },
  ],
];

test.each(CHANGES)("a file that is %s is in effect without being asked for", async (_, change) => {
  const keyward = await keywardForThisTest({ config: OPEN });
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.check({ path: "/a" })).reason).toBe("public");
  change(join(keyward.folder, "keyward.yaml"), CLOSED);
  await until("it was reloaded", () => linesOf(keyward, "reloaded").length > 0);
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
  expect(linesOf(keyward, "reloaded")).toEqual([
    expect.objectContaining({ cause: "file", file: "keyward.yaml", changed: ["routes"] }),
  ]);
});

test("a swap of the link ..data, as Kubernetes mounts a ConfigMap, is in effect without being asked for", async () => {
  const folder = folderForThisTest();
  const publish = (version: string, config: string) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "keyward.yaml"), config);
    symlinkSync(version, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  publish("..1", OPEN);
  symlinkSync("..data/keyward.yaml", join(folder, "keyward.yaml"));
  const keyward = await keywardForThisTest({ flags: ["--config", join(folder, "keyward.yaml")] });
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.check({ path: "/a" })).reason).toBe("public");
  publish("..2", CLOSED);
  rmSync(join(folder, "..1"), { recursive: true });
  await until("it was reloaded", () => linesOf(keyward, "reloaded").length > 0);
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
});

test("SIGHUP reloads at once, and says so where nothing has changed", async () => {
  const keyward = await keywardForThisTest({ config: OPEN });
  const client = checkClientForThisTest(keyward.authz);
  await reload(keyward, CLOSED);
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
  await reload(keyward, CLOSED);
  expect(linesOf(keyward, "reloaded")).toMatchObject([
    { cause: "SIGHUP", changed: ["routes"] },
    { cause: "SIGHUP", changed: [] },
  ]);
});

test("a file that appears in the working directory is read", async () => {
  const keyward = await keywardForThisTest();
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.check({ path: "/a" })).reason).toBe("no_credential");
  await reload(keyward, CLOSED);
  expect(linesOf(keyward, "reloaded")).toMatchObject([{ file: "keyward.yaml", changed: ["routes"] }]);
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
});

const REFUSED: [title: string, change: (path: string) => void, problem: string][] = [
  ["has an unknown key", put("rutes: []\n"), 'keyward.yaml:1: unknown key "rutes" (did you mean "routes"?)'],
  [
    "has a value out of bounds",
    put("# two\nexpiry_warning: 400d\n"),
    'keyward.yaml:2: expiry_warning "400d" must be >= 0s and <= 365d',
  ],
  [
    "has a rule that contradicts itself",
    put(`routes:\n  - { path: /a, access: deny }\n  - { path: /x, access: public, scopes: [a] }\n`),
    "keyward.yaml:3: routes[1].access public contradicts scopes",
  ],
  ["is no YAML", put("routes: [\n"), "keyward.yaml:2: "],
  [
    "is no text",
    (path) => writeFileSync(path, Buffer.from([0xff])),
    'the configuration file "keyward.yaml" is not UTF-8 text',
  ],
  [
    "is gone",
    (path) => unlinkSync(path),
    'the configuration file "keyward.yaml" is gone; to go on without what it said, start the program anew',
  ],
  [
    "is empty",
    put(""),
    'the configuration file "keyward.yaml" says nothing any more; to go on without what it said, start the program anew',
  ],
  ["holds comments only", put("# routes: []\n"), 'the configuration file "keyward.yaml" says nothing any more'],
  [
    "is a folder",
    (path) => {
      unlinkSync(path);
      mkdirSync(path);
    },
    'the configuration file "keyward.yaml" is no regular file',
  ],
  [
    "is a pipe",
    (path) => {
      unlinkSync(path);
      execFileSync("mkfifo", [path]);
    },
    'the configuration file "keyward.yaml" is no regular file',
  ],
];

test.each(REFUSED)("a file that %s changes nothing, and is told", async (_, change, problem) => {
  const keyward = await keywardForThisTest({ config: CLOSED });
  const client = checkClientForThisTest(keyward.authz);
  change(join(keyward.folder, "keyward.yaml"));
  process.kill(keyward.pid, "SIGHUP");
  await until("it was refused", () => linesOf(keyward, NOT_RELOADED).length > 0);
  const [line] = linesOf(keyward, NOT_RELOADED);
  expect(line).toMatchObject({ level: "error", cause: "SIGHUP", problems: [expect.stringContaining(problem)] });
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
  expect(await reloadsOf(keyward)).toEqual({ success: 0, failure: 1, last: 0 });

  rmSync(join(keyward.folder, "keyward.yaml"), { recursive: true, force: true });
  await reload(keyward, OPEN);
  expect((await client.check({ path: "/a" })).reason).toBe("public");
  expect(await reloadsOf(keyward)).toEqual({ success: 1, failure: 1, last: 1 });
});

test("every problem of a file is told at once, and no key that strayed into it", async () => {
  const keyward = await keywardForThisTest({ config: OPEN });
  const { secret } = await createKey(keyward.adminSocket);
  await reload(keyward, `realm: ""\nlog: { level: ${secret} }\nrutes: []\n`);
  expect(linesOf(keyward, NOT_RELOADED)[0]?.problems).toEqual([
    'keyward.yaml:1: realm "" must be 1 to 64 letters, digits, spaces, ".", "_" or "-"',
    "keyward.yaml:2: log.level <redacted> must be one of trace, debug, info, warn, error",
    'keyward.yaml:3: unknown key "rutes" (did you mean "routes"?)',
  ]);
  expect(keyward.log()).not.toContain(secret);
});

test("flags and environment win over the reloaded file as they did over the first one", async () => {
  const keyward = await keywardForThisTest({
    config: "default_access: public\nrealm: one\n",
    flags: ["--default-access", "deny"],
    env: { KEYWARD_REALM: "three" },
  });
  const client = checkClientForThisTest(keyward.authz);
  await reload(keyward, "default_access: authenticated\nrealm: two\nexpiry_warning: 1d\n");
  expect(linesOf(keyward, "reloaded")).toMatchObject([{ changed: ["expiry_warning"] }]);
  expect((await client.check()).reason).toBe("route_denied");
});

test("a setting that needs a restart is told with its place, and the rest of the file is in effect", async () => {
  const keyward = await keywardForThisTest({ config: OPEN });
  const client = checkClientForThisTest(keyward.authz);
  await reload(keyward, `${CLOSED}check_threads: 4\n`);
  expect((await client.check({ path: "/a" })).reason).toBe("route_denied");
  const told = "keyward.yaml:2: check_threads 4 needs a restart; until then 1 stays in effect";
  expect(linesOf(keyward, told)).toMatchObject([{ level: "warn" }]);
});

test("SIGHUP while the program starts or ends does not end it", async () => {
  const keyward = await keywardForThisTest({ config: OPEN, flags: ["--shutdown-delay", "1s"] });
  process.kill(keyward.pid, "SIGTERM");
  await until("it shuts down", () => linesOf(keyward, "shutting down").length > 0);
  process.kill(keyward.pid, "SIGHUP");
  expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
});

function put(content: string): (path: string) => void {
  return (path) => writeFileSync(path, content);
}

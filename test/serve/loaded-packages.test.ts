import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { createKey } from "../support/admin-call.ts";
import { KEYWARD_MAIN } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

import { reload } from "./support/reload.ts";

// What a thread loads is memory for as long as the program runs, and time of each start.

const preload = fileURLToPath(new URL("children/note-packages.ts", import.meta.url));

type Thread = "main" | "configuration" | "writer" | "check";

/** A Keyward that tells what of our dependencies, and of Node's own HTTP, its threads have loaded so far. */
async function startNoting(...flags: string[]) {
  const file = join(folderForThisTest(), "packages");
  const command = [process.execPath, "--import", preload, KEYWARD_MAIN] as const;
  const keyward = await keywardForThisTest({ command, flags, env: { PACKAGES_FILE: file } });
  const isOurs = (name: string) => name in manifest.dependencies || name.startsWith("node:");
  const loaded = (thread: Thread) => {
    const lines = readFileSync(file, "utf8").trim().split("\n");
    const names = lines.filter((line) => line.startsWith(`${thread} `)).map((line) => line.slice(thread.length + 1));
    return [...new Set(names)].filter(isOurs).sort();
  };
  return { keyward, loaded };
}

const READER = ["better-sqlite3", "ipaddr.js", "lru-cache"];
const WRITER = ["better-sqlite3", "node:http", "node:http2"];
const ADMIN_API = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node", "ipaddr.js", "node:https"];

test.each([
  ["the store, and what its listeners speak", ["--transport", "h2"], [...READER, "node:http"]],
  [
    "nothing of HTTP/1.1 where no dialect is served",
    ["--transport", "h2", "--listen-forward-auth", "off"],
    [...READER],
  ],
  [
    "grpc-js where the configuration names it",
    ["--transport", "grpc-js"],
    ["@grpc/grpc-js", ...READER, "grpc-health-check", "node:http", "node:http2"],
  ],
])("a check thread that has answered loads %s", async (_, flags, expected) => {
  const { keyward, loaded } = await startNoting(...flags);
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect(await client.health("")).toBe("SERVING");
  expect(loaded("check")).toEqual(expected.toSorted());
});

test("the thread that supervises loads its flags, its log and its listener, and another one what reads the configuration", async () => {
  const { keyward, loaded } = await startNoting();
  expect((await fetch(`http://${keyward.ops}/metrics`)).status).toBe(200);
  expect(await reload(keyward, "log: { level: debug }\n")).toBe(true);
  expect(loaded("main")).toEqual(["commander", "node:http", "pino"]);
  expect(loaded("configuration")).toEqual(["yaml", "zod"]);
});

test("the writer thread loads the admin API for its first call, and parts of it for those who ask for them", async () => {
  const { keyward, loaded } = await startNoting();
  expect(loaded("writer")).toEqual(WRITER);
  await createKey(keyward.adminSocket);
  expect(loaded("writer")).toEqual([...ADMIN_API, ...WRITER].sort());
  const rest = await fetch(`http://${keyward.admin}/api/v1/tenant/acme/api-keys/list`);
  expect(rest.status).toBe(401);
  expect(loaded("writer")).toEqual([...ADMIN_API, ...WRITER, "zod"].sort());
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { createKey } from "../support/admin-call.ts";
import { KEYWARD_MAIN } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

// What a thread loads is memory for as long as the program runs, and time of each start.

const preload = fileURLToPath(new URL("children/note-packages.ts", import.meta.url));

/** What of our dependencies, and of Node's own HTTP, threads have loaded by the time that a key was made and has opened. */
async function loadedUnder(...flags: string[]) {
  const file = join(folderForThisTest(), "packages");
  const command = [process.execPath, "--import", preload, KEYWARD_MAIN] as const;
  const keyward = await keywardForThisTest({ command, flags, env: { PACKAGES_FILE: file } });
  const { secret } = await createKey(keyward.adminSocket);
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(secret)).reason).toBe("allowed");
  expect(await client.health("")).toBe("SERVING");
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const isOurs = (name: string) => name in manifest.dependencies || name.startsWith("node:");
  const of = (thread: string) =>
    lines.filter((line) => line.startsWith(`${thread} `)).map((line) => line.split(" ")[1] ?? "");
  return (thread: "main" | "writer" | "check") => [...new Set(of(thread))].filter(isOurs).sort();
}

const STORE = ["better-sqlite3", "ipaddr.js", "lru-cache"];

test("a check thread loads the store, and what its listeners speak", async () => {
  const loaded = await loadedUnder("--transport", "h2");
  expect(loaded("check")).toEqual([...STORE, "node:http"]);
});

test("a check thread without HTTP dialects loads none of node:http", async () => {
  const loaded = await loadedUnder("--transport", "h2", "--listen-forward-auth", "off");
  expect(loaded("check")).toEqual(STORE);
});

test("a check thread loads grpc-js where the configuration names it", async () => {
  const loaded = await loadedUnder("--transport", "grpc-js");
  expect(loaded("check")).toEqual(["@grpc/grpc-js", ...STORE, "grpc-health-check", "node:http", "node:http2"].sort());
});

test("the thread that supervises loads what reads the configuration, its log and its listener", async () => {
  const loaded = await loadedUnder();
  expect(loaded("main")).toEqual(["commander", "node:http", "pino", "yaml", "zod"]);
});

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockPort } from "../../src/serve/listeners/port-lock.ts";
import { runCli } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { freePorts } from "../support/ports.ts";

const SHARED = ["--mode", "authz", "--check-threads", "2"];

/** A port that nobody has, and the address with it. */
async function freeAddress() {
  const [port = 0] = await freePorts(1);
  return { kind: "tcp", host: "127.0.0.1", port } as const;
}

/** Runs a Keyward that cannot start, to its end. */
function serveInVain(folder: string, port: number) {
  const flags = [
    "--database",
    `${folder}/keyward.db`,
    "--listen-forward-auth",
    "off",
    "--listen-ops",
    "127.0.0.1:0",
    ...SHARED,
  ];
  return runCli(["serve", ...flags, "--listen-authz", `127.0.0.1:${port}`], { cwd: folder });
}

function refusal(port: number): string {
  return `keyward: listen.authz: 127.0.0.1:${port}: another Keyward on this database has this port; choose another\n`;
}

test("a port that another program on this database is about to share is refused, before anybody listens", async () => {
  const folder = folderForThisTest();
  const address = await freeAddress();
  lockPort(join(folder, "keyward.db"), address, "listen.authz");
  const { code, stdout, stderr } = await serveInVain(folder, address.port);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: refusal(address.port) });
});

test.each([
  ["another port on this database", 1, 0],
  ["this port on another database", 0, 1],
])("%s is free", async (_, port, database) => {
  const folders = [folderForThisTest(), folderForThisTest()];
  const addresses = [await freeAddress(), await freeAddress()];
  const [held, asked] = [addresses[0], addresses[port]];
  if (held === undefined || asked === undefined) throw new Error("two addresses were expected");
  lockPort(join(folders[0] ?? "", "keyward.db"), held, "listen.authz");
  const folder = folders[database] ?? "";
  const keyward = await keywardForThisTest({ folder, flags: [...SHARED, "--listen-authz", `127.0.0.1:${asked.port}`] });
  expect((await checkClientForThisTest(keyward.authz).check()).reason).toBe("no_credential");
});

test("of two programs that start at the same moment with the same port, one serves and one is refused", async () => {
  const folder = folderForThisTest();
  const { port } = await freeAddress();
  const start = () => keywardForThisTest({ folder, flags: [...SHARED, "--listen-authz", `127.0.0.1:${port}`] });
  const [one, other] = await Promise.allSettled([start(), start()]);
  expect([one, other].map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const [reason] = [one, other].flatMap((start) => (start.status === "rejected" ? [String(start.reason)] : []));
  expect(reason).toContain("Keyward ended (exit code 1)");
  expect(reason).toContain(refusal(port).trim());
  expect((await checkClientForThisTest(`127.0.0.1:${port}`).check()).reason).toBe("no_credential");
});

test("a port is free again after its program was killed", async () => {
  const folder = folderForThisTest();
  const killed = await keywardForThisTest({ folder, flags: SHARED });
  await killed.kill();
  const next = await keywardForThisTest({ folder, flags: [...SHARED, "--listen-authz", killed.authz] });
  expect(next.authz).toBe(killed.authz);
  expect((await checkClientForThisTest(next.authz).check()).reason).toBe("no_credential");
});

test("a lock that cannot be had is named with its setting", async () => {
  const folder = folderForThisTest();
  const { port } = await freeAddress();
  const lock = `${folder}/keyward.db.${port}.lock`;
  mkdirSync(lock);
  const { code, stderr } = await serveInVain(folder, port);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `keyward: listen.authz: 127.0.0.1:${port}: cannot lock ${lock}\n`,
  });
});

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeSecret } from "../../src/key/secret.ts";
import type { CheckClient, Described } from "../support/check-client.ts";
import { runCli } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { freePorts } from "../support/ports.ts";
import { until } from "../support/until.ts";

const ON = ["--single-key"];
const RANDOM = new Uint8Array(32).fill(7);
const SECRET = writeSecret("kw", RANDOM);
/** A whole key of which one random bit is another. */
const NEIGHBOUR = writeSecret("kw", RANDOM.with(31, 6));

/** The key that was drawn and printed. */
function drawnBy(keyward: Keyward): string {
  return /^ {2}(kw_[0-9A-Za-z]{49})$/m.exec(keyward.stdout())?.[1] ?? "none was printed";
}

async function reasonsOf(client: CheckClient, secret: string, requests: readonly Described[]): Promise<string[]> {
  const verdicts = await Promise.all(requests.map((request) => client.present(secret, request)));
  return verdicts.map(({ reason }) => reason);
}

/** Whether anybody listens on a port of this machine. */
function listensOn(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

describe("serve --single-key", () => {
  test("lets through the key that it prints, and no other", async () => {
    const keyward = await keywardForThisTest({ flags: ON });
    await until("the key was printed", () => keyward.stdout().includes("curl"));
    const secret = drawnBy(keyward);
    const client = checkClientForThisTest(keyward.authz);
    const verdict = await client.present(secret);
    expect([verdict.reason, verdict.headers]).toEqual([
      "allowed",
      { "x-keyward-key-id": "key_single", "x-keyward-scopes": "*" },
    ]);
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    expect((await client.present(mistyped)).reason).toBe("malformed_credential");
    expect((await client.present(NEIGHBOUR)).reason).toBe("unknown_key");
    expect((await client.check()).reason).toBe("no_credential");
  });

  test("draws another key at each start, and knows the last one no more", async () => {
    const first = await keywardForThisTest({ flags: ON });
    await until("the key was printed", () => first.stdout().includes("curl"));
    const secret = drawnBy(first);
    await first.stop();
    const second = await keywardForThisTest({ flags: ON });
    await until("the key was printed", () => second.stdout().includes("curl"));
    const client = checkClientForThisTest(second.authz);
    expect([(await client.present(secret)).reason, (await client.present(drawnBy(second))).reason]).toEqual([
      "unknown_key",
      "allowed",
    ]);
  });

  test.each([
    ["KEYWARD_SINGLE_KEY", SECRET],
    ["KEYWARD_SINGLE_KEY_FILE", "key"],
  ])("lets through the key of %s, and not its neighbour", async (name, value) => {
    const folder = folderForThisTest();
    writeFileSync(join(folder, "key"), `${SECRET}\n`);
    const keyward = await keywardForThisTest({ folder, flags: ON, env: { [name]: value } });
    const client = checkClientForThisTest(keyward.authz);
    expect([(await client.present(SECRET)).reason, (await client.present(NEIGHBOUR)).reason]).toEqual([
      "allowed",
      "unknown_key",
    ]);
  });

  test("the key has every scope, also of those that are defined, and opens no route that is closed", async () => {
    const keyward = await keywardForThisTest({
      flags: ON,
      env: { KEYWARD_SINGLE_KEY: SECRET },
      config: `routes:
  - { path: /a, scopes: [admin:all, mfa], match: all }
  - { path: /b, scopes: [api:read] }
scopes: { "admin:all": , mfa: , "api:read": }
`,
    });
    const client = checkClientForThisTest(keyward.authz);
    expect(await reasonsOf(client, SECRET, [{ path: "/a" }, { path: "/b" }, { path: "/c" }])).toEqual([
      "allowed",
      "allowed",
      "route_denied",
    ]);
    expect(await reasonsOf(client, NEIGHBOUR, [{ path: "/a" }, { path: "/b" }])).toEqual([
      "unknown_key",
      "unknown_key",
    ]);
  });

  test("makes no file and no admin listener, and leaves a database that is there alone", async () => {
    const [port = 0] = await freePorts(1);
    const flags = [...ON, "--listen-admin", `127.0.0.1:${port}`];
    const keyward = await keywardForThisTest({ flags });
    expect(readdirSync(keyward.folder)).toEqual([]);
    expect([keyward.admin, await listensOn(port)]).toEqual(["", false]);
    expect(await listensOn(Number(keyward.ops.split(":")[1]))).toBe(true);
    expect(JSON.parse(keyward.log().split("\n")[0] ?? "")).toMatchObject({
      msg: "serving",
      mode: "authz",
      single_key: "key_single",
    });
    expect(keyward.log()).not.toContain("keyward.db");

    const folder = folderForThisTest();
    writeFileSync(join(folder, "keyward.db"), "not a database");
    const beside = await keywardForThisTest({ folder, flags, env: { KEYWARD_SINGLE_KEY: SECRET } });
    expect((await checkClientForThisTest(beside.authz).present(SECRET)).reason).toBe("allowed");
    expect(readdirSync(folder)).toEqual(["keyward.db"]);
    expect(readFileSync(join(folder, "keyward.db"), "utf8")).toBe("not a database");
  });

  test("is ready and healthy, has no revision, and says NOT_SERVING before it ends", async () => {
    const keyward = await keywardForThisTest({ flags: [...ON, "--shutdown-delay", "5s"] });
    const client = checkClientForThisTest(keyward.authz);
    const ready = await fetch(`http://${keyward.ops}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, "ready\n"]);
    await client.present(SECRET);
    const samples = readMetrics(await (await fetch(`http://${keyward.ops}/metrics`)).text());
    expect(byLabel(samples, "keyward_checks_total", "reason").get("unknown_key")).toBe(1);
    expect(byLabel(samples, "keyward_applied_revision", "thread")).toEqual(new Map());
    expect([...byLabel(samples, "keyward_cache_lookups_total", "result").values()]).toEqual([0, 0, 0]);

    expect(await client.health()).toBe("SERVING");
    process.kill(keyward.pid, "SIGTERM");
    await until("health says no", async () => (await client.health()) === "NOT_SERVING");
    expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
  });

  test("no part of the key is in log, metrics or answers, nor on stdout where the operator gave it", async () => {
    const given = await keywardForThisTest({
      flags: [...ON, "--log-level", "trace"],
      env: { KEYWARD_SINGLE_KEY: SECRET },
    });
    const drawn = await keywardForThisTest({ flags: [...ON, "--log-level", "trace"] });
    await until("both have printed", () => [given, drawn].every((each) => each.stdout().includes("curl")));
    const rows = [
      [given, SECRET],
      [drawn, drawnBy(drawn)],
    ] as const;
    for (const [keyward, secret] of rows) {
      const client = checkClientForThisTest(keyward.authz);
      const answers = await Promise.all([
        client.present(secret),
        client.present(secret, { path: `/${secret}//` }),
        client.present(`${secret}x`),
        client.check({ headers: [["x-api-key", `${secret},${secret}`]] }),
      ]);
      expect(answers.map(({ reason }) => reason)).toEqual([
        "allowed",
        "ambiguous_path",
        "malformed_credential",
        "ambiguous_credential",
      ]);
      await until("the denials were logged", () => keyward.log().split('"denied: ').length === 4);
      const metrics = await (await fetch(`http://${keyward.ops}/metrics`)).text();
      const said = [keyward.log(), metrics, JSON.stringify(answers)].join("\n");
      const body = secret.slice("kw_".length);
      const pieces = Array.from({ length: body.length - 9 }, (_, at) => body.slice(at, at + 10));
      expect(pieces.filter((piece) => said.includes(piece))).toEqual([]);
    }
    expect(given.stdout()).not.toContain(SECRET.slice(3, 11));
  });

  test.each<[flags: string[], env: Record<string, string>, stderr: string]>([
    [
      ON,
      { KEYWARD_SINGLE_KEY: SECRET.slice(0, -1) },
      "keyward: KEYWARD_SINGLE_KEY does not hold a whole key (such as kw_ and 49 characters); without it, serve --single-key draws a key and prints it\n",
    ],
    [
      [...ON, "--mode", "admin"],
      {},
      'keyward: --single-key true serves checks of one key in memory; --mode "admin" serves no checks\n',
    ],
  ])("with %j and %j exits with 2 and says why", async (flags, env, stderr) => {
    const cwd = folderForThisTest();
    expect(await runCli(["serve", ...flags], { cwd, env })).toEqual({ code: 2, stdout: "", stderr });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

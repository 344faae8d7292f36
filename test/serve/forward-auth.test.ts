import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DIALECT_NAMES } from "../../src/check/http/dialects.ts";
import { askAbout } from "../check/http/support/asking.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { askForwardAuth } from "../support/forward-auth.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

let keyward: Keyward;
let key: { id: string; secret: string };

beforeAll(async () => {
  keyward = await startKeyward();
  key = await createKey(keyward.adminSocket, { owner: "service/ci" });
});

afterAll(() => keyward?.stop());

const present = (secret: string) => [["x-api-key", secret]] as const;

describe("the forward-auth listener", () => {
  test.each(DIALECT_NAMES)("answers %s with an allow, and without a key with a denial", async (dialect) => {
    const allowed = await askForwardAuth(keyward.forwardAuth, askAbout(dialect, { headers: present(key.secret) }));
    expect(allowed).toMatchObject({
      status: 200,
      body: "",
      headers: {
        "x-keyward-key-id": key.id,
        "x-keyward-owner": "service/ci",
        "x-keyward-tenant": "",
        "x-keyward-scopes": "",
        "x-keyward-reason": "allowed",
        "content-length": "0",
      },
    });
    const denied = await askForwardAuth(keyward.forwardAuth, askAbout(dialect));
    expect(denied).toMatchObject({ status: 401, headers: { "x-keyward-reason": "no_credential" } });
    expect(JSON.parse(denied.body)).toMatchObject({ error_description: "Not authenticated" });
  });

  test("answers HEAD as GET, without the body", async () => {
    const ask = (method: string) =>
      askForwardAuth(keyward.forwardAuth, { ...askAbout("haproxy", { headers: present(key.secret) }), method });
    expect(await ask("HEAD")).toMatchObject({ status: 200, headers: { "x-keyward-key-id": key.id }, body: "" });
    const denied = await askForwardAuth(keyward.forwardAuth, { ...askAbout("haproxy"), method: "HEAD" });
    expect(denied).toMatchObject({ status: 401, headers: { "x-keyward-reason": "no_credential" }, body: "" });
  });

  test.each(["/", "/check/nginx/", "/check/nobody", "/healthz"])("answers 404 at %s, with any key", async (url) => {
    const asked = { ...askAbout("nginx", { headers: present(key.secret) }), url };
    expect(await askForwardAuth(keyward.forwardAuth, asked)).toMatchObject({
      status: 404,
      body: "checks are answered at /check/envoy, /check/nginx, /check/ingress-nginx, /check/traefik, /check/caddy, /check/haproxy\n",
    });
  });

  test("reads requests of 100 KiB, and refuses what is larger", async () => {
    const withHeader = (length: number) =>
      askAbout("traefik", { headers: [...present(key.secret), ["x-large", "x".repeat(length)]] });
    expect((await askForwardAuth(keyward.forwardAuth, withHeader(100 * 1024))).status).toBe(200);
    expect((await askForwardAuth(keyward.forwardAuth, withHeader(128 * 1024))).status).toBe(431);
  });

  test("sees a second URI behind thousands of headers", async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => [`x-${index}`, "1"] as const);
    const asked = (...more: (readonly [string, string])[]) =>
      askForwardAuth(keyward.forwardAuth, askAbout("caddy", { headers: [...present(key.secret), ...many, ...more] }));
    expect((await asked()).status).toBe(200);
    expect(await asked(["x-forwarded-uri", "/"])).toMatchObject({
      status: 400,
      headers: { "x-keyward-reason": "malformed_request" },
    });
  });

  test("keeps a connection for the next request, with a body or without", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = () => askForwardAuth(keyward.forwardAuth, askAbout("nginx", { headers: present(key.secret) }), agent);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  });

  test.each<[title: string, text: string]>([
    ["what is not HTTP", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["CONNECT, which Envoy passes on with any path", "CONNECT /check/envoy/ HTTP/1.1\r\nhost: a.test\r\n\r\n"],
    ["CONNECT of a host", "CONNECT a.test:443 HTTP/1.1\r\nhost: a.test\r\n\r\n"],
  ])("answers %s with 400, and closes", async (_, text) => {
    const [host, port] = keyward.forwardAuth.split(":");
    const socket = connect(Number(port), host);
    onTestFinished(() => {
      socket.destroy();
    });
    socket.write(text);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 /);
  });

  test("counts its checks, and obeys a revocation at once", async () => {
    const own = await createKey(keyward.adminSocket);
    const ask = () => askForwardAuth(keyward.forwardAuth, askAbout("nginx", { headers: present(own.secret) }));
    const revoked = async () => {
      const metrics = await (await fetch(`http://${keyward.ops}/metrics`)).text();
      return byLabel(readMetrics(metrics), "keyward_checks_total", "reason").get("key_revoked") ?? 0;
    };
    expect((await ask()).status).toBe(200);
    const before = await revoked();
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: own.id });
    expect(await ask()).toMatchObject({ status: 401, headers: { "x-keyward-reason": "key_revoked" } });
    expect(await revoked()).toBe(before + 1);
  });
});

test("the forward-auth listener may be a Unix socket", async () => {
  const path = join(folderForThisTest(), "forward.sock");
  const own = await keywardForThisTest({ flags: ["--listen-forward-auth", `unix:${path}`] });
  const { secret } = await createKey(own.adminSocket);
  expect((await askForwardAuth(path, askAbout("nginx", { headers: present(secret) }))).status).toBe(200);
});

test("it may be off", async () => {
  const own = await keywardForThisTest({ flags: ["--listen-forward-auth", "off"] });
  expect(own.forwardAuth).toBe("");
});

test("check threads share its port", async () => {
  const own = await keywardForThisTest({ flags: ["--check-threads", "2"] });
  const { secret } = await createKey(own.adminSocket);
  const asked = Array.from({ length: 20 }, () =>
    askForwardAuth(own.forwardAuth, askAbout("nginx", { headers: present(secret) })),
  );
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200));
});

test("a program that drains answers, and keeps no connection", async () => {
  const own = await startKeyward({ flags: ["--shutdown-delay", "10m"] });
  const { secret } = await createKey(own.adminSocket);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = () => askForwardAuth(own.forwardAuth, askAbout("nginx", { headers: present(secret) }), agent);
  expect(await ask()).toMatchObject({ status: 200, headers: { connection: "keep-alive" } });
  process.kill(own.pid, "SIGTERM");
  await until("its answers close the connection", async () => (await ask()).headers.connection === "close");
  expect(await ask()).toMatchObject({ status: 200, headers: { connection: "close" } });
  process.kill(own.pid, "SIGTERM");
  await own.ended;
  await own.stop();
});

test("a program that stops waits for no idle connection", async () => {
  const own = await startKeyward();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  await askForwardAuth(own.forwardAuth, askAbout("nginx"), agent);
  const [idle] = Object.values(agent.freeSockets).flat();
  if (idle === undefined) throw new Error("the connection was not kept");
  const closed = once(idle, "close");
  await own.stop();
  await closed;
  expect(await own.ended).toBe("Keyward ended (exit code 0)");
});

import { renameSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { createAuthority, type Issued, selfSigned } from "../support/certificates.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";

const authority = createAuthority("the authority");
const stranger = createAuthority("a stranger");
const server = authority.issue();

/** A folder with the files of a server. */
function filesForThisTest(issued: Issued = server): string {
  const folder = folderForThisTest();
  writeFileSync(join(folder, "cert.pem"), issued.cert);
  writeFileSync(join(folder, "key.pem"), issued.key);
  writeFileSync(join(folder, "ca.pem"), authority.cert);
  return folder;
}

function tlsFlags(folder: string, listeners: readonly string[], clientCa = false): string[] {
  return listeners.flatMap((listener) => [
    ...[`--tls-${listener}-cert`, join(folder, "cert.pem"), `--tls-${listener}-key`, join(folder, "key.pem")],
    ...(clientCa ? [`--tls-${listener}-client-ca`, join(folder, "ca.pem")] : []),
  ]);
}

function channel(client?: Issued, ca = authority.cert) {
  if (client === undefined) return credentials.createSsl(Buffer.from(ca));
  return credentials.createSsl(Buffer.from(ca), Buffer.from(client.key), Buffer.from(client.cert));
}

/** What `/metrics` tells of one listener, by the value of another label. */
async function toldOf({ ops }: Pick<Keyward, "ops">, listener: string, name: string, label: string) {
  const answer = await fetch(`http://${ops}/metrics`);
  const samples = [...readMetrics(await answer.text())].filter(([series]) => series.includes(`listener="${listener}"`));
  return byLabel(new Map(samples), name, label);
}

async function failuresOf(keyward: Keyward, listener: string) {
  return [...(await toldOf(keyward, listener, "keyward_tls_handshake_failures_total", "reason"))];
}

describe.each([1, 3])("with %i check threads", (threads) => {
  test("checks and health are answered over TLS, and to nobody without", async () => {
    const flags = ["--check-threads", String(threads), ...tlsFlags(filesForThisTest(), ["authz"])];
    const keyward = await keywardForThisTest({ flags });
    const { secret } = await createKey(keyward.adminSocket);
    // Each on a connection of its own, which the system gives to any of the threads.
    for (const client of Array.from({ length: 6 }, () => checkClientForThisTest(keyward.authz, channel()))) {
      expect(await client.health()).toBe("SERVING");
      expect(await client.present(secret)).toMatchObject({ code: 0, answer: "ok" });
      expect(await client.present(`${secret.slice(0, -1)}_`)).toMatchObject({ status: 401 });
    }
    await expect(checkClientForThisTest(keyward.authz).present(secret)).rejects.toMatchObject({ code: 14 });
    await expect(checkClientForThisTest(keyward.authz, channel(undefined, stranger.cert)).health()).rejects.toThrow();
  });

  test("only clients with a certificate of the authority are answered", async () => {
    const flags = ["--check-threads", String(threads), ...tlsFlags(filesForThisTest(), ["authz"], true)];
    const keyward = await keywardForThisTest({ flags });
    const check = (client?: Issued) => checkClientForThisTest(keyward.authz, channel(client)).check();
    await expect(check(authority.issue({ usages: ["client"] }))).resolves.toMatchObject({ reason: "no_credential" });
    await expect(check(authority.issue({ usages: ["server"] }))).rejects.toMatchObject({ code: 14 });
    await expect(check(authority.issue({ validForMs: -60_000 }))).rejects.toMatchObject({ code: 14 });
    await expect(check(authority.issue({ validFromMs: 60_000 }))).rejects.toMatchObject({ code: 14 });
    await expect(check(stranger.issue())).rejects.toMatchObject({ code: 14 });
    await expect(check(createAuthority("the authority").issue())).rejects.toMatchObject({ code: 14 });
    await expect(check(selfSigned())).rejects.toMatchObject({ code: 14 });
    await expect(check()).rejects.toMatchObject({ code: 14 });
  });
});

/** Opens a connection that does as it is told, and waits until the other side has closed it. */
async function closedByServer(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.resume();
  await until("the connection was closed", () => socket.destroyed);
}

function toPort(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

describe("what is no good handshake", () => {
  const rows: [reason: string, connectTo: (port: number) => Socket][] = [
    [
      "plaintext",
      (port) => {
        const socket = connect(port, "127.0.0.1");
        socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        return socket;
      },
    ],
    ["plaintext", (port) => connect(port, "127.0.0.1").setNoDelay().end("GET / HTTP/1.1\r\n\r\n")],
    ["plaintext", (port) => connect(port, "127.0.0.1").end(Buffer.alloc(200, 0x7f))],
    ["closed", (port) => connect(port, "127.0.0.1").end()],
    ["no_client_certificate", (port) => tls(port)],
    ["bad_client_certificate", (port) => tls(port, stranger.issue())],
    ["incompatible", (port) => tls(port, authority.issue(), { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" })],
    ["incompatible", (port) => tls(port, authority.issue(), { ALPNProtocols: ["spdy/1"] })],
  ];

  function tls(port: number, client?: Issued, more: object = {}): TLSSocket {
    const own = client && { cert: client.cert, key: client.key };
    const ciphers = "DEFAULT:@SECLEVEL=0";
    return connectTls({ host: "127.0.0.1", port, ca: authority.cert, ALPNProtocols: ["h2"], ciphers, ...own, ...more });
  }

  test("is closed, counted and told in one line, and a good client is served meanwhile", async () => {
    const keyward = await keywardForThisTest({ flags: tlsFlags(filesForThisTest(), ["authz", "admin"], true) });
    const good = checkClientForThisTest(keyward.authz, channel(authority.issue()));
    expect(await good.check()).toMatchObject({ reason: "no_credential" });
    for (const [, connectTo] of rows) {
      await closedByServer(connectTo(toPort(keyward.authz)));
      expect(await good.check()).toMatchObject({ reason: "no_credential" });
    }
    const expected = [
      ["closed", 1],
      ["plaintext", 3],
      ["incompatible", 2],
      ["no_client_certificate", 1],
      ["bad_client_certificate", 1],
    ];
    await until("all were counted", async () => {
      const total = (await failuresOf(keyward, "authz")).reduce((sum, [, count]) => sum + count, 0);
      return total === rows.length;
    });
    expect(await failuresOf(keyward, "authz")).toEqual(expected);
    expect(await failuresOf(keyward, "admin")).toEqual([]);
    const told = () =>
      keyward
        .log()
        .split("\n")
        .filter((line) => line.includes("came to nothing"));
    await until("it was told", () => told().length > 0);
    const lines = told();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "warn",
      msg: "connections to listen.authz came to nothing in their TLS handshake",
      address: "127.0.0.1",
    });
  });
});

describe("listeners that speak HTTP", () => {
  const ask = async (url: string, client?: Issued) => {
    const own = client && { cert: client.cert, key: client.key };
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get(`https://${url}`, { ca: authority.cert, agent: false, ...own }, (response) => {
      text(response).then(resolve, reject);
    }).on("error", reject);
    return promise;
  };

  test.each([
    ["ops", "/readyz", "ready\n"],
    ["forwardAuth", "/check/caddy", "invalid_request"],
  ] as const)("answer over TLS, and with authorities only to their clients: %s", async (name, path, said) => {
    const flag = name === "ops" ? "ops" : "forward-auth";
    const [open, closed] = await Promise.all([
      keywardForThisTest({ flags: tlsFlags(filesForThisTest(), [flag]) }),
      keywardForThisTest({ flags: tlsFlags(filesForThisTest(), [flag], true) }),
    ]);
    const [openUrl, closedUrl] = [open, closed].map((keyward) => keyward[name] + path);
    expect(await ask(`${openUrl}`)).toContain(said);
    expect(await ask(`${closedUrl}`, authority.issue())).toContain(said);
    await expect(ask(`${closedUrl}`, stranger.issue())).rejects.toThrow();
    await expect(ask(`${closedUrl}`)).rejects.toThrow();
    await expect(fetch(`http://${openUrl}`)).rejects.toThrow();
  });
});

/** The fingerprint of the certificate that a listener serves. */
async function servedAt(address: string): Promise<string> {
  const socket = connectTls({ host: "127.0.0.1", port: toPort(address), ca: authority.cert, ALPNProtocols: ["h2"] });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.once("secureConnect", () => resolve(socket.getPeerCertificate().fingerprint256));
  socket.once("error", reject);
  return promise.finally(() => socket.destroy());
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

describe("a renewed certificate", () => {
  const renewalsOf = (keyward: Keyward) => toldOf(keyward, "authz", "keyward_tls_renewals_total", "result");
  const endOf = async (keyward: Keyward) =>
    (await toldOf(keyward, "authz", "keyward_tls_certificate_expiry_timestamp_seconds", "listener")).get("authz") ?? 0;

  test("is served to new connections, and those that are open go on", async () => {
    const folder = filesForThisTest(authority.issue({ validForMs: 3_600_000 }));
    const keyward = await keywardForThisTest({ flags: ["--check-threads", "2", ...tlsFlags(folder, ["authz"])] });
    const open = checkClientForThisTest(keyward.authz, channel());
    await open.check();
    const [before, endBefore] = [await servedAt(keyward.authz), await endOf(keyward)];
    const next = authority.issue({ validForMs: 7_200_000 });
    replace(join(folder, "cert.pem"), next.cert);
    replace(join(folder, "key.pem"), next.key);
    await until("it was taken over", async () => (await renewalsOf(keyward)).get("applied") === 1);
    // Which thread answers is for the system to say: so often in a row, both have.
    await until("every thread serves it", async () => {
      const served = await Promise.all(Array.from({ length: 16 }, () => servedAt(keyward.authz)));
      return !served.includes(before);
    });
    expect(await endOf(keyward)).toBeGreaterThan(endBefore + 3_000);
    expect(await open.check()).toMatchObject({ reason: "no_credential" });
    expect(await renewalsOf(keyward)).toEqual(
      new Map([
        ["applied", 1],
        ["refused", 0],
      ]),
    );
    await logged(keyward, '"msg":"the certificate of listen.authz was renewed"');
  });

  test("that is broken changes nothing but a metric, and is told", async () => {
    const folder = filesForThisTest();
    const keyward = await keywardForThisTest({ flags: tlsFlags(folder, ["authz"]) });
    const before = await servedAt(keyward.authz);
    replace(join(folder, "cert.pem"), authority.issue().cert);
    await until("it was refused", async () => (await renewalsOf(keyward)).get("refused") === 1);
    expect(await servedAt(keyward.authz)).toBe(before);
    expect(JSON.parse(await logged(keyward, "cannot be served"))).toMatchObject({
      level: "error",
      msg: "the renewed certificate of listen.authz cannot be served; the one before it goes on",
      problems: [`${join(folder, "key.pem")} is not the key of ${join(folder, "cert.pem")}`],
    });
  });

  test("is served by every listener that has its files", async () => {
    const folder = filesForThisTest();
    const keyward = await keywardForThisTest({ flags: tlsFlags(folder, ["authz", "admin"]) });
    const before = await servedAt(keyward.admin);
    const next = authority.issue();
    replace(join(folder, "cert.pem"), next.cert);
    replace(join(folder, "key.pem"), next.key);
    await until("admin serves it", async () => (await servedAt(keyward.admin)) !== before);
    expect(await servedAt(keyward.authz)).toBe(await servedAt(keyward.admin));
  });
});

test("authorities that are renewed let in their clients and no others", async () => {
  const folder = filesForThisTest();
  const keyward = await keywardForThisTest({ flags: tlsFlags(folder, ["authz"], true) });
  const check = (client: Issued) => checkClientForThisTest(keyward.authz, channel(client)).check();
  const [before, after] = [authority.issue(), stranger.issue()];
  await expect(check(after)).rejects.toMatchObject({ code: 14 });
  replace(join(folder, "ca.pem"), stranger.cert);
  await until("the new one's clients are let in", () => check(after).then(() => true));
  await expect(check(before)).rejects.toMatchObject({ code: 14 });
});

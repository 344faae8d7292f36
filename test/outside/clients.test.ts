import { type ExecFileOptions, execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createUnaryServer, type UnaryServer } from "../../src/h2/unary-server.ts";
import { startChild } from "../support/child.ts";
import { freePorts } from "../support/ports.ts";
import { echoThroughGrpcJs, echoThroughHttp2 } from "./clients/node.ts";

// Needs Go (Debian: golang-go), openssl, nginx, HAProxy, nghttp2-client, and Python with grpcio (pip): .ci/run installs them.

const CLIENTS = fileURLToPath(new URL("clients", import.meta.url));

/** The bodies come from it. */
const SEED = randomInt(1_000_000);
console.log(`bodies from the seed ${SEED}`);
const BODIES = { seed: SEED, maxBytes: 150_000 };

/** The addresses of an echo over plain TCP and over TLS, and the folder with the certificate. */
interface Echo {
  readonly engine: UnaryServer;
  readonly plain: string;
  readonly tls: string;
  readonly folder: string;
}

let folder: string;
let echo: Echo;
let listeners: Server[];
const errors: unknown[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyward-clients-"));
  const subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject]);
  await run("go", ["build", "-buildvcs=false", "-o", join(folder, "echo"), "."], { cwd: CLIENTS });
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  errors.length = 0;
  const engine = createUnaryServer({
    methods: new Map([
      ["/test.Echo/Echo", { handler: (message: Uint8Array) => message }],
      ["/test.Echo/Throws", { handler: () => JSON.parse("{") as Uint8Array }],
    ]),
    onError: (error) => errors.push(error),
  });
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(join(folder, name)));
  listeners = [
    createServer({ noDelay: true }, (socket) => engine.take(socket)),
    createTlsServer({ key, cert, ALPNProtocols: ["h2"], noDelay: true }, (socket) => engine.take(socket)),
  ];
  const [plain = "", tls = ""] = await Promise.all(listeners.map(listenAt));
  echo = { engine, plain, tls, folder };
});

afterEach(() => {
  for (const listener of listeners) listener.close();
  echo.engine.stop();
});

describe.each(["plain", "tls"] as const)("over %s", (channel) => {
  test("grpc-go: echoes are right, also beside cancelled ones, and what is refused is refused as gRPC says", async () => {
    const { stdout } = await run(join(folder, "echo"), [echo[channel], channel, String(SEED)]);
    expect(stdout).toMatch(/^1920 echoed, [1-9]\d* cancelled$/m);
    expectSound(1_920);
  });

  test("grpc-core: the same", async () => {
    const program = [join(CLIENTS, "echo.py"), echo[channel], channel, String(SEED), join(folder, "cert.pem")];
    const { stdout } = await run("python3", program);
    expect(stdout).toMatch(/^640 echoed, [1-9]\d* cancelled$/m);
    expectSound(640);
  });

  test("grpc-js: the same echoes", async () => {
    await echoThroughGrpcJs(
      echo[channel],
      channel === "tls" ? readFileSync(join(folder, "cert.pem")) : undefined,
      BODIES,
    );
    expectSound(600);
  });
});

test("node:http2: the same echoes", async () => {
  await echoThroughHttp2(`http://${echo.plain}`, BODIES);
  expectSound(600);
});

test("nghttp, with its PRIORITY frames: the same bytes", async () => {
  const body = Buffer.concat([Buffer.of(0, 0, 1, 0, 0), Buffer.alloc(65_536, "x")]);
  writeFileSync(join(folder, "body"), body);
  const headers = ["content-type: application/grpc", "te: trailers"].flatMap((header) => ["-H", header]);
  const url = `http://${echo.plain}/test.Echo/Echo`;
  const { stdout } = await run("nghttp", ["-d", join(folder, "body"), ...headers, url]);
  expect(stdout).toBe(body.toString("latin1"));
  expectSound(1);
});

/** A program that speaks HTTP/2 to both sides, started with a file of its own. */
interface Proxy {
  readonly command: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly maxBytes: number;
  /** What stands in the file: where it listens, and the address it passes calls to. */
  config(port: number, to: string): string;
}

const PROXIES: Readonly<Record<string, Proxy>> = {
  nginx: {
    command: "/usr/sbin/nginx",
    args: ["-e", "stderr", "-p", ".", "-c", "nginx.conf"],
    file: "nginx.conf",
    maxBytes: BODIES.maxBytes,
    config: (port, to) => `daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream engine { server ${to}; keepalive 4; }
  server { listen 127.0.0.1:${port} http2; client_max_body_size 0; location / { grpc_pass grpc://engine; } }
}
`,
  },
  HAProxy: {
    command: "/usr/sbin/haproxy",
    args: ["-db", "-f", "haproxy.cfg"],
    file: "haproxy.cfg",
    // Larger bodies stop within HAProxy 2.6, and do so in front of Node's server as well.
    maxBytes: 12_000,
    config: (port, to) => `global
  maxconn 200
defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend callers
  bind 127.0.0.1:${port} proto h2
  default_backend engine
backend engine
  server engine ${to} proto h2
`,
  },
};

test.each(Object.entries(PROXIES))("%s as a proxy for gRPC: echoes are right through it", async (name, proxy) => {
  const [port = 0] = await freePorts(1);
  writeFileSync(join(folder, proxy.file), proxy.config(port, echo.plain));
  const child = await startChild({
    name,
    command: proxy.command,
    args: proxy.args,
    cwd: folder,
    ready: () => isListening(port),
  });
  try {
    await echoThroughGrpcJs(`127.0.0.1:${port}`, undefined, { seed: SEED, maxBytes: proxy.maxBytes });
    expectSound(600);
  } finally {
    await child.stop();
  }
});

/** At least so many calls were answered, none of them by a defect, no connection was ended for its faults, and nothing is held. */
function expectSound(calls: number): void {
  const { counters } = echo.engine;
  expect(counters.calls).toBeGreaterThanOrEqual(calls);
  expect(counters.goaways).toMatchObject({
    protocol: 0,
    internal: 0,
    flowControl: 0,
    enhanceYourCalm: 0,
    compression: 0,
  });
  expect(counters.handlerErrors).toBe(errors.length);
  expect(echo.engine.heldBytes).toBe(0);
}

const execute = promisify(execFile);

/** Runs a program, of which more than the last lines are worth nothing. */
function run(program: string, args: readonly string[], options: ExecFileOptions = {}) {
  return execute(program, args, { ...options, encoding: "latin1", maxBuffer: 16 * 1024 * 1024 });
}

async function listenAt(listener: Server): Promise<string> {
  await once(listener.listen(0, "127.0.0.1"), "listening");
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return once(socket, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

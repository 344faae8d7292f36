import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createUnaryServer, type UnaryServer } from "../../src/h2/unary-server.ts";

const run = promisify(execFile);
/** Pins the program and all that it is built from, in versions that Debian 12's Go can build. */
const MODULE = fileURLToPath(new URL("h2spec", import.meta.url));

let folder: string;

// Needs Go (Debian: golang-go) and openssl. The Go module proxy is asked once; then it is all in Go's cache.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyward-h2spec-"));
  const program = "github.com/summerwind/h2spec/cmd/h2spec";
  await run("go", ["build", "-buildvcs=false", "-o", join(folder, "h2spec"), program], { cwd: MODULE });
  const subject = ["-days", "2", "-subj", "/CN=localhost"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject]);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The port of an engine behind a listener, both ended after the test. */
async function listen(listener: Server, engine: UnaryServer): Promise<number> {
  onTestFinished(() => {
    listener.close();
    engine.stop();
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  return (listener.address() as AddressInfo).port;
}

test.each([
  ["plain TCP", [], (engine: UnaryServer) => createServer((socket) => engine.take(socket))],
  [
    "TLS",
    ["--tls", "--insecure"],
    (engine: UnaryServer) => {
      const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(join(folder, name)));
      return createTlsServer({ key, cert, ALPNProtocols: ["h2"] }, (socket) => engine.take(socket));
    },
  ],
] as const)("the engine passes all of h2spec, strict, over %s", async (_, flags, createListener) => {
  const errors: unknown[] = [];
  const engine = createUnaryServer({ methods: new Map(), onError: (error) => errors.push(error) });
  const port = await listen(createListener(engine), engine);
  const result = run(join(folder, "h2spec"), ["--strict", ...flags, "--port", String(port)]);
  // Where a case fails, it is told behind this word; the process then ends with 1.
  const { stdout } = await result.catch((error: { stdout: string }) => error);
  expect(stdout.split("Failures:")[1] ?? "").toBe("");
  expect(stdout).toContain("146 tests, 146 passed, 0 skipped, 0 failed");
  expect(errors).toEqual([]);
});

/**
 * The image, built and run without a container engine. What this does not show: that Docker reads the Dockerfile as it is
 * read here, the base image (this machine's Debian and Node.js stand for it), layers and labels, how an engine prepares a
 * new volume (here it belongs to the user already), its seccomp profile, and the other processor architecture.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { VERSION } from "../../src/version.ts";
import { stagesOf } from "../deploy/support/dockerfile.ts";
import { buildImage, type Image, inContainer, terminate } from "../deploy/support/image.ts";
import { DEPLOY } from "../deploy/support/manifests.ts";
import { packPackage } from "../package/support/installed.ts";
import { type Child, startChild } from "../support/child.ts";
import { checkClientForThisTest } from "../support/for-this-test.ts";

const read = (path: string) => readFileSync(join(DEPLOY, path), "utf8");

let place: string;
let image: Image;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "keyward-image-"));
  chmodSync(place, 0o755); // its user has to reach what is in it
  const context = join(place, "context");
  mkdirSync(context);
  const { tarball } = await packPackage(place);
  cpSync(tarball, join(context, `keyward-${VERSION}.tgz`));
  cpSync(join(DEPLOY, "../package-lock.json"), join(context, "package-lock.json"));
  image = await buildImage(context, place);
}, 300_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** A folder that stands for a new volume. */
function newVolume(): string {
  const data = mkdtempSync(join(place, "data-"));
  chownSync(data, image.user.uid, image.user.gid);
  return data;
}

/** How a command in a container ended. */
interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs words in a container of its own, to their end, as `docker run --entrypoint` does. */
async function inOne(data: string, words: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { command, args } = inContainer(image, { data, env }, words);
  const ended = promisify(execFile)(command, args, { cwd: "/" });
  return ended.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

/** The addresses that a Keyward has told in its log. */
function servedBy({ stderr }: Child): { authz: string; ops: string } {
  const lines = stderr().split("\n");
  return JSON.parse(lines.find((text) => text.includes('"msg":"serving"')) ?? "{}");
}

const node = (data: string, script: string) => inOne(data, ["node", "--eval", script]);

describe("the image", () => {
  test("holds no shell, no package manager, no compiler: node, env and the launcher alone", () => {
    const programs = ["usr/local/bin", "usr/bin", "bin", "sbin", "usr/sbin"].flatMap((folder) => {
      const path = join(image.root, folder);
      return statSync(path, { throwIfNoEntry: false }) ? readdirSync(path).map((name) => `${folder}/${name}`) : [];
    });
    expect(programs.sort()).toEqual(["usr/bin/env", "usr/local/bin/keyward", "usr/local/bin/node"]);
  });

  test("holds one native module, of this machine's kind, and nothing that a compiler would read", () => {
    const files = readdirSync(join(image.root, "opt/keyward/node_modules"), { recursive: true, encoding: "utf8" });
    expect(files.filter((path) => path.endsWith(".node"))).toEqual([
      `better-sqlite3/prebuilds/linux-${process.arch}.node`,
    ]);
    expect(files.filter((path) => /\.(c|cc|cpp|h|gyp|map)$|\.d\.[cm]?ts$|^typescript|^vitest/.test(path))).toEqual([]);
  });

  test("runs as no root, in /data, with no other rights", async () => {
    const { stdout } = await node(newVolume(), "console.log(process.getuid(), process.getgid(), process.cwd())");
    expect(stdout).toBe("65532 65532 /data\n");
    const status = await node(newVolume(), "console.log(fs.readFileSync('/proc/self/status', 'utf8'))");
    expect(status.stdout).toMatch(/^CapEff:\t0+$/m);
    expect(status.stdout).toMatch(/^CapBnd:\t0+$/m);
    expect(status.stdout).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test.each([
    ["/data/x", 0, ""],
    ["/opt/keyward/x", 1, "EROFS"],
    ["/etc/passwd", 1, "EROFS"],
    ["/tmp/x", 1, "EROFS"],
  ])("may write to its volume alone: %s", async (path, code, error) => {
    const ended = await node(newVolume(), `fs.writeFileSync(${JSON.stringify(path)}, "x")`);
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(error) });
  });

  test("has the labels of this version, and runs the versions of the lock file", async () => {
    const [, final = []] = stagesOf(read("docker/Dockerfile"));
    const labels = final.find(({ name }) => name === "LABEL")?.text ?? "";
    expect(labels).toContain(`org.opencontainers.image.version="${VERSION}"`);
    expect(await inOne(newVolume(), ["keyward", "--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
    const { packages } = JSON.parse(readFileSync(join(DEPLOY, "../package-lock.json"), "utf8"));
    for (const name of ["better-sqlite3", "@grpc/grpc-js", "lru-cache"]) {
      const path = join(image.root, "opt/keyward/node_modules", name, "package.json");
      expect(JSON.parse(readFileSync(path, "utf8")).version).toBe(packages[`node_modules/${name}`].version);
    }
  });

  test("lets nothing into its build but the package and the lock file", () => {
    const lines = read("docker/Dockerfile.dockerignore").split("\n");
    expect(lines.filter((line) => line && !line.startsWith("#"))).toEqual([
      "*",
      "!keyward-*.tgz",
      "!package-lock.json",
    ]);
  });
});

describe("a container of it", () => {
  let data: string;
  let keyward: Child;
  let addresses: { authz: string; ops: string };
  const ports = Object.fromEntries(
    ["AUTHZ", "FORWARD_AUTH", "ADMIN", "OPS"].map((name) => [`KEYWARD_LISTEN_${name}`, "127.0.0.1:0"]),
  );
  const start = async (volume: string) => {
    const env = { ...ports, KEYWARD_SHUTDOWN_DELAY: "0" };
    const words = [...image.entrypoint, ...image.command];
    const { command, args } = inContainer(image, { data: volume, env }, words);
    const ready: Parameters<typeof startChild>[0]["ready"] = async ({ stderr }) => stderr().includes('"msg":"serving"');
    return startChild({ name: "the container", command, args, cwd: "/", ready });
  };
  beforeAll(async () => {
    data = newVolume();
    keyward = await start(data);
    addresses = servedBy(keyward);
  });
  afterAll(() => keyward?.stop());

  test("makes its database, which is for its user alone", () => {
    const files = readdirSync(data).filter((name) => name.startsWith("keyward.db"));
    expect(files).toContain("keyward.db");
    for (const name of files) {
      const { mode, uid } = statSync(join(data, name));
      expect({ name, mode: mode & 0o777, uid }).toEqual({ name, mode: 0o600, uid: 65532 });
    }
  });

  test("lets a key through that was made by a command in it, and none that is mistyped", async () => {
    const made = await inOne(data, ["keyward", "keys", "create", "--name", "first", "-q"]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const secret = made.stdout.trim();
    const client = checkClientForThisTest(addresses.authz);
    expect(await client.present(secret)).toMatchObject({ code: 0, answer: "ok" });
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    expect(await client.present(mistyped)).toMatchObject({ code: 16, status: 401, reason: "malformed_credential" });
  });

  test.each([
    ["healthy", "while it serves", () => addresses.ops, 0],
    ["unhealthy", "where nobody answers", () => "127.0.0.1:1", 1],
  ])("is %s %s", async (_, __, address, code) => {
    const words = image.healthcheck.map((word) => word.replace("127.0.0.1:9464", address()));
    expect(words).not.toEqual(image.healthcheck);
    expect(await inOne(data, words)).toMatchObject({ code });
  });

  test("keeps its keys when another container takes the volume over, and ends in good order", async () => {
    const volume = newVolume();
    const first = await start(volume);
    const made = await inOne(volume, ["keyward", "keys", "create", "--name", "kept", "-q"]);
    terminate(first.pid);
    expect(await first.ended).toContain("exit code 0");
    const second = await start(volume);
    onTestFinished(() => second.stop());
    const client = checkClientForThisTest(servedBy(second).authz);
    expect(await client.present(made.stdout.trim())).toMatchObject({ code: 0, answer: "ok" });
  });

  test("restores a copy that was written to its volume, as the Job does, and serves what is in it", async () => {
    const volume = newVolume();
    const first = await start(volume);
    const made = await inOne(volume, ["keyward", "keys", "create", "--name", "saved", "-q"]);
    expect(await inOne(volume, ["keyward", "backup", "/data/restore.db"])).toMatchObject({ code: 0 });
    const later = await inOne(volume, ["keyward", "keys", "create", "--name", "later", "-q"]);
    terminate(first.pid);
    await first.ended;
    const job = parse(read("kubernetes/restore/job.yaml"));
    const [{ args }] = job.spec.template.spec.containers;
    expect(await inOne(volume, [...image.entrypoint, ...args])).toMatchObject({ code: 0 });
    const second = await start(volume);
    onTestFinished(() => second.stop());
    const client = checkClientForThisTest(servedBy(second).authz);
    expect(await client.present(made.stdout.trim())).toMatchObject({ code: 0, answer: "ok" });
    expect(await client.present(later.stdout.trim())).toMatchObject({ code: 16, reason: "unknown_key" });
  });
});

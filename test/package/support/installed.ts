import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VERSION } from "../../../src/version.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

const run = promisify(execFile);

/** The package as its users have it. */
export interface Installed {
  /** The paths in the tarball, without the `package/` in front. */
  packed: readonly string[];
  /** The folder into which nothing but the tarball was installed. */
  folder: string;
  /** The environment in which `npx` finds this Node first. */
  env: NodeJS.ProcessEnv;
}

/**
 * Packs a copy of the source tree, which builds it, and installs the tarball in an empty folder below `place`, without
 * running the scripts of any package.
 */
export async function installPackage(place: string): Promise<Installed> {
  const { tarball, env } = await packPackage(place);
  const folder = join(place, "installed");
  await mkdir(folder);
  const { stdout } = await run("tar", ["--list", "--file", tarball]);
  const options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", "--prefix", folder, ...options, tarball], { cwd: folder, env });
  const packed = stdout.trim().split("\n");
  return { packed: packed.map((path) => path.slice("package/".length)), folder, env };
}

/** Packs a copy of the source tree, which builds it. Returns the tarball, below `place`, and npm's environment. */
export async function packPackage(place: string): Promise<{ tarball: string; env: NodeJS.ProcessEnv }> {
  const source = join(place, "source");
  const left = new Set([".git", "node_modules", "dist"]);
  const filter = (path: string) => !left.has(relative(repository, path).split(sep)[0] ?? "");
  await cp(repository, source, { recursive: true, filter });
  await symlink(join(repository, "node_modules"), join(source, "node_modules"));
  const env = npmEnvironment();
  await run("npm", ["pack", "--pack-destination", place], { cwd: source, env });
  return { tarball: join(place, `keyward-${VERSION}.tgz`), env };
}

/** What npm hands to the scripts it runs would point the npm that runs in here at the wrong package. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(KEYWARD_|npm_(package|lifecycle|command|config_(local_)?prefix)|INIT_CWD)/.test(name),
  );
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path };
}

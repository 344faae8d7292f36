import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

/** What an installation takes. */
export interface Installation {
  /** Of 1,000,000 bytes, as they lie on the disk. */
  megabytes: number;
  packages: number;
  /** The three largest packages, with their megabytes, for people. */
  largest: string;
}

/** Returns what the `node_modules` of a folder takes, Keyward itself included. */
export function sizeOf(folder: string): Installation {
  const modules = join(folder, "node_modules");
  const bytes = (path: string) =>
    Number(/^\d+/.exec(execFileSync("du", ["-s", "--block-size=1", path], { encoding: "utf8" })));
  const manifests = globSync(["*/package.json", "@*/*/package.json"], { cwd: modules });
  const sizes = manifests.map((path) => {
    const name = path.slice(0, -"/package.json".length);
    return { name, megabytes: bytes(join(modules, name)) / 1e6 };
  });
  sizes.sort((one, other) => other.megabytes - one.megabytes);
  const largest = sizes.slice(0, 3).map(({ name, megabytes }) => `${name} ${megabytes.toFixed(0)}`);
  return { megabytes: bytes(modules) / 1e6, packages: sizes.length, largest: largest.join(", ") };
}

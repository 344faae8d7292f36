import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { broken } from "./broken.ts";
import type { Mutant } from "./list.ts";

/** A copy of the tree in which the source may be broken. */
export interface Workshop {
  /** Puts a mutant into a file; the answer takes it out again. */
  replace(file: string, mutant: Mutant): () => void;
  /** Runs test files up to the first failure. */
  run(tests: readonly string[]): Promise<{ readonly passed: boolean; readonly output: string }>;
  close(): void;
}

/** What is copied, since tests read it or it is broken, and what is only pointed to. */
const COPIED = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
const LINKED = ["node_modules", "demo", "deploy", "proto"];

/** They take a second or two. What runs so long on the slowest machine has been made to loop, which no test can tell. */
const MOST_MS = 300_000;

/** Makes a copy of this tree, gone after `close`. */
export function createWorkshop(): Workshop {
  const root = resolve(import.meta.dirname, "../..");
  const folder = mkdtempSync(join(tmpdir(), "keyward-mutants-"));
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const name of LINKED) symlinkSync(join(root, name), join(folder, name));
  return {
    replace(file, mutant) {
      const path = join(folder, file);
      const whole = readFileSync(path, "utf8");
      writeFileSync(path, broken(file, whole, mutant));
      return () => writeFileSync(path, whole);
    },
    async run(tests) {
      if (tests.length === 0) return { passed: true, output: "" };
      const vitest = join(root, "node_modules/vitest/vitest.mjs");
      const args = [vitest, "run", "--bail=1", "--reporter=dot", "--maxWorkers=1", "--no-isolate", ...tests];
      const child = spawn(process.execPath, args, {
        cwd: folder,
        timeout: MOST_MS,
        env: { ...process.env, CI: "1", NO_COLOR: "1" },
      });
      const output = Promise.all([text(child.stdout), text(child.stderr)]);
      const [code, signal] = await once(child, "close");
      if (signal !== null) throw new Error(`${tests.join(" ")} ended by ${signal} within ${MOST_MS / 1_000} s`);
      return { passed: code === 0, output: (await output).join("\n") };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

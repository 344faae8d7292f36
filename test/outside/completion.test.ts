import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, runCli } from "../support/cli.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

// Each script runs in its shell, which has to be installed (Debian: the packages bash, zsh and fish).

const SHELLS = ["bash", "zsh", "fish"] as const;
const scripts = new Map<string, string>();

beforeAll(async () => {
  for (const shell of SHELLS) {
    scripts.set(shell, (await runCli(["completion", shell], { cwd: process.cwd() })).stdout);
  }
});

/** Writes the script of a shell into a folder of the test and returns both. */
function installed(shell: (typeof SHELLS)[number]) {
  const folder = folderForThisTest();
  const script = join(folder, shell);
  writeFileSync(script, scripts.get(shell) ?? "");
  return { folder, script };
}

async function run(command: string, args: readonly string[], folder: string): Promise<string> {
  const options = { cwd: folder, env: { ...cleanEnvironment(folder), TERM: "xterm" }, timeout: 20_000 };
  const { stdout, stderr } = await promisify(execFile)(command, args, options);
  expect(stderr).toBe("");
  return stdout;
}

/** What bash offers for the last of the words. */
async function inBash(words: readonly string[], files: readonly string[] = []): Promise<string[]> {
  const { folder, script } = installed("bash");
  for (const file of files) writeFileSync(join(folder, file), "");
  const complete = `set -u; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keyward; printf '%s\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}`;
  const offered = await run("bash", ["-c", complete, script, ...words], folder);
  return offered.split("\n").filter(Boolean);
}

/** What fish offers for the end of a line. */
async function inFish(line: string): Promise<string[]> {
  const { folder, script } = installed("fish");
  const offered = await run(
    "fish",
    ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line],
    folder,
  );
  return offered
    .split("\n")
    .flatMap((one) => one.split("\t", 1))
    .filter(Boolean);
}

/** The line as it stands in an interactive zsh after the tabulator: put in quotation marks there, and printed into a file. */
async function inZsh(line: string): Promise<string> {
  const { folder, script } = installed("zsh");
  const driver = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "bindkey -e; autoload -U compinit; compinit -D -u; source $1; : > ready"
    while [[ ! -e ready ]]; do zpty -r -t shell ignored; done
    zpty -w -n shell "$2"$'\\t\\x01print -r -- "\\x05" > line; exit\\n'
    while zpty -r shell ignored; do :; done`;
  await run("zsh", ["-f", "-c", driver, "driver", script, line], folder);
  return readFileSync(join(folder, "line"), "utf8").trim();
}

describe("in bash", () => {
  test.each<[string, string[], string[]]>([
    ["a command that has begun", ["keyward", "ke"], ["keys"]],
    ["a command of a command", ["keyward", "keys", "ro"], ["rotate"]],
    ["nothing for a command that is not there", ["keyward", "keys", "rox"], []],
    ["an option", ["keyward", "keys", "list", "--sta"], ["--state"]],
    ["no option of another command", ["keyward", "keys", "get", "--sta"], []],
    ["the words that an option takes", ["keyward", "keys", "list", "-o", ""], ["table", "json", "yaml"]],
    ["one of them, behind an equals sign", ["keyward", "keys", "list", "--output", "=", "y"], ["yaml"]],
    ["all of them, behind an equals sign", ["keyward", "keys", "list", "--output", "="], ["table", "json", "yaml"]],
    ["nothing where an option takes any text", ["keyward", "keys", "list", "--owner", ""], []],
    [
      "an option behind a value that is called as a command is",
      ["keyward", "keys", "list", "--owner", "list", "--outp"],
      ["--output"],
    ],
    [
      "an option behind one that may stand without its value",
      ["keyward", "serve", "--single-key", "--mod"],
      ["--mode"],
    ],
    [
      "the words of an option behind one that stands without its value",
      ["keyward", "serve", "--single-key", "--insecure-admin", ""],
      ["true", "false"],
    ],
    ["a shell", ["keyward", "completion", ""], ["bash", "zsh", "fish"]],
    ["nothing behind the last word that a command takes", ["keyward", "completion", "zsh", ""], []],
  ])("there is offered %s", async (_, words, offered) => {
    expect(await inBash(words)).toEqual(offered);
  });

  test("a file is offered where a file is asked for, spaces and stars in its name included", async () => {
    const files = ["a *.yaml", "ab.yaml", "b.yaml"];
    expect((await inBash(["keyward", "serve", "--config", "a"], files)).toSorted()).toEqual(["a *.yaml", "ab.yaml"]);
    expect(await inBash(["keyward", "serve", "--mode", "a"], files)).toEqual([]);
  });

  test.each([[], ["keys"], ["keys", "create"], ["serve"], ["config"]].map((path) => [path.join(" "), path] as const))(
    "what the help of keyward %s shows is offered, and nothing else",
    async (_, path) => {
      const { stdout: help } = await runCli([...path, "--help"], { cwd: folderForThisTest() });
      const commands = [...(/^Commands:\n((?: .*\n)*)/m.exec(help)?.[1]?.matchAll(/^ {2}([a-z-]+)/gm) ?? [])];
      const options = [...help.matchAll(/^ +(?:(-\w), )?(--[a-z][a-z-]*)/gm)].flatMap(([, short = "", long = ""]) => [
        short,
        long,
      ]);
      const names = commands.map(([, name = ""]) => name).filter((name) => name !== "help");
      expect((await inBash(["keyward", ...path, ""])).toSorted()).toEqual(names.toSorted());
      expect((await inBash(["keyward", ...path, "-"])).toSorted()).toEqual(options.filter(Boolean).toSorted());
    },
  );
});

describe("in fish", () => {
  test.each<[string, string, string[]]>([
    ["a command that has begun", "keyward ke", ["keys"]],
    ["a command of a command", "keyward keys ro", ["rotate"]],
    ["an option", "keyward keys list --sta", ["--state"]],
    ["no option of another command", "keyward keys get --sta", []],
    ["the words that an option takes", "keyward keys list -o ", ["json", "table", "yaml"]],
    ["nothing where an option takes any text", "keyward keys list --owner ", []],
    ["an option behind a value that is called as a command is", "keyward keys list --owner list --outp", ["--output"]],
    ["an option behind one that may stand without its value", "keyward serve --single-key --mod", ["--mode"]],
    ["a shell", "keyward completion ", ["bash", "fish", "zsh"]],
    ["nothing behind the last word that a command takes", "keyward completion zsh ", []],
    ["a file where a file is asked for", "keyward serve --config fi", ["fish"]],
    ["a file behind the value of an option", "keyward keys import --from unkey fi", ["fish"]],
    ["no second file where one is asked for", "keyward keys import x --from unkey fi", []],
  ])("there is offered %s", async (_, line, offered) => {
    expect((await inFish(line)).toSorted()).toEqual(offered);
  });
});

describe("in zsh", () => {
  test.each<[string, string, string]>([
    ["a command that has begun", "keyward ke", "keyward keys"],
    ["a command of a command", "keyward keys ro", "keyward keys rotate"],
    ["an option", "keyward keys list --sta", "keyward keys list --state"],
    ["no option of another command", "keyward keys get --sta", "keyward keys get --sta"],
    ["a word that an option takes", "keyward keys list -o j", "keyward keys list -o json"],
    [
      "an option behind a value that is called as a command is",
      "keyward keys list --owner list --outp",
      "keyward keys list --owner list --output",
    ],
    [
      "an option behind one that may stand without its value",
      "keyward serve --single-key --mod",
      "keyward serve --single-key --mode",
    ],
    ["a shell", "keyward completion z", "keyward completion zsh"],
    ["a file where a file is asked for", "keyward serve --config zs", "keyward serve --config zsh"],
  ])("the tabulator completes %s", async (_, line, completed) => {
    expect(await inZsh(line)).toBe(completed);
  });
});

test("another shell is refused, and those that there are, are told", async () => {
  const { code, stdout, stderr } = await runCli(["completion", "ksh"], { cwd: folderForThisTest() });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("Allowed choices are bash, zsh, fish.");
});

import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tsc = join(root, "node_modules/.bin/tsc");

function run(program: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

function load(files: readonly string[]) {
  const child = fileURLToPath(new URL("./children/load-pure.ts", import.meta.url));
  return run(process.execPath, child, ...files.map(urlOf));
}

function urlOf(file: string): string {
  return pathToFileURL(join(root, file)).href;
}

test("what decides loads without any module of Node or any package, and loads nothing beside itself", () => {
  const files = globSync("src/{check,key,policy}/**/*.ts", { cwd: root });
  const { code, stdout, stderr } = load(files);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const loaded = new Set(stdout.trim().split("\n"));
  expect([...loaded].toSorted()).toEqual(files.map(urlOf).toSorted());
});

test.each([
  ["src/store/file.ts", "refused node:fs"],
  ["src/store/cache.ts", "refused lru-cache"],
])("%s, which does not decide, is %s", (file, refusal) => {
  const { code, stderr } = load([file]);
  expect(stderr).toContain(refusal);
  expect(code).toBe(1);
});

test("what decides compiles without the types of Node", () => {
  expect(run(tsc, "-p", "tsconfig.pure.json")).toEqual({ code: 0, stdout: "", stderr: "" });
});

test.each([
  ["the process", "export const id = process.pid;", "'process'"],
  ["a file", 'export * from "node:fs";', "'node:fs'"],
  ["a socket", 'export const open = () => new WebSocket("ws://127.0.0.1");', "'WebSocket'"],
  ["a timer", "export const later = setTimeout(() => undefined, 1);", "'setTimeout'"],
])("what reaches for %s does not", (_title, source, named) => {
  const folder = mkdtempSync(join(tmpdir(), "keyward-impure-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "impure.ts"), source);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.pure.json"), include: ["impure.ts"] }),
  );
  const { code, stdout } = run(tsc, "-p", folder);
  expect(stdout).toContain(named);
  expect(code).not.toBe(0);
});

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchFiles } from "../../src/config/watch-files.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

const INTERVAL_MS = 20;

/** What was told, one list of file names a call. */
async function watched(folder: string, names: readonly string[] = ["file"]): Promise<string[][]> {
  const told: string[][] = [];
  const watch = await watchFiles(
    names.map((name) => join(folder, name)),
    (changed) => void told.push(changed.map((path) => path.slice(folder.length + 1))),
    INTERVAL_MS,
  );
  onTestFinished(() => watch.stop());
  return told;
}

/** Waits for a change that comes after all others: of a file that nothing else touches. */
async function afterAnother(folder: string, told: string[][]): Promise<string[][]> {
  writeFileSync(join(folder, "last"), String(Math.random()));
  await until("the last change was told", () => told.some((names) => names.includes("last")));
  return told.filter((names) => !names.includes("last"));
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** A folder as Kubernetes mounts a ConfigMap: each file is a link into `..data`, which is a link to the latest version. */
function mountVersion(folder: string, version: string, content: string): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, "file"), content);
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
}

const CHANGES: [title: string, change: (path: string, folder: string) => void][] = [
  ["written in place", (path) => writeFileSync(path, "new")],
  ["written in place with the same length and time", sameLengthAndTime],
  ["replaced by a rename", (path) => replace(path, "new")],
  ["moved away and written anew, as an editor saves", saveAsAnEditorDoes],
  ["appended to", (path) => writeFileSync(path, "more", { flag: "a" })],
  ["emptied", (path) => writeFileSync(path, "")],
  ["removed", (path) => unlinkSync(path)],
  ["replaced by a folder", replaceByFolder],
  ["replaced by a link to another file", linkElsewhere],
];

test.each(CHANGES)("a file that is %s has changed, once", async (_, change) => {
  const folder = folderForThisTest();
  writeFileSync(join(folder, "file"), "old");
  const told = await watched(folder, ["file", "last"]);
  change(join(folder, "file"), folder);
  await until("the change was told", () => told.length > 0);
  expect(await afterAnother(folder, told)).toEqual([["file"]]);
});

const NO_CHANGES: [title: string, change: (path: string) => void][] = [
  ["touched", (path) => utimesSync(path, new Date(), new Date())],
  ["written again with the same content", (path) => writeFileSync(path, "old")],
  ["replaced by a copy", (path) => replace(path, "old")],
  ["given another mode", (path) => chmodSync(path, 0o640)],
];

test.each(NO_CHANGES)("a file that is %s has not changed", async (_, change) => {
  const folder = folderForThisTest();
  writeFileSync(join(folder, "file"), "old");
  const told = await watched(folder, ["file", "last"]);
  change(join(folder, "file"));
  expect(await afterAnother(folder, told)).toEqual([]);
});

test("a swap of the link ..data changes the files that are reached through it", async () => {
  const folder = folderForThisTest();
  mountVersion(folder, "..1", "old");
  symlinkSync("..data/file", join(folder, "file"));
  const told = await watched(folder, ["file", "last"]);
  mountVersion(folder, "..2", "new");
  rmSync(join(folder, "..1"), { recursive: true });
  await until("the change was told", () => told.length > 0);
  expect(await afterAnother(folder, told)).toEqual([["file"]]);
  expect(readlinkSync(join(folder, "..data"))).toBe("..2");
});

test("a file that appears has changed, and so has one that comes back with another content", async () => {
  const folder = folderForThisTest();
  const told = await watched(folder);
  writeFileSync(join(folder, "file"), "first");
  await until("it was told to be there", () => told.length === 1);
  unlinkSync(join(folder, "file"));
  await until("it was told to be gone", () => told.length === 2);
  writeFileSync(join(folder, "file"), "second");
  await until("it was told to be back", () => told.length === 3);
  expect(told).toEqual([["file"], ["file"], ["file"]]);
});

test("nothing is told while any of the files goes on changing, and everything once they stay as they are", async () => {
  const folder = folderForThisTest();
  symlinkSync("/proc/uptime", join(folder, "busy"));
  const told = await watched(folder, ["file", "busy"]);
  const quiet = await watched(folder);
  writeFileSync(join(folder, "file"), "new");
  await until("the other watch told it", () => quiet.length > 0);
  expect(told).toEqual([]);
  replace(join(folder, "busy"), "at last");
  await until("it was told", () => told.length > 0);
  expect(told).toEqual([["file", "busy"]]);
});

test("files that change together are told together, and those that stay are not named", async () => {
  const folder = folderForThisTest();
  for (const name of ["cert", "key", "other"]) writeFileSync(join(folder, name), "old");
  const told = await watched(folder, ["cert", "key", "other"]);
  replace(join(folder, "cert"), "new");
  replace(join(folder, "key"), "new");
  await until("the change was told", () => told.length > 0);
  expect(told).toEqual([["cert", "key"]]);
});

test("a pipe is not read, since what is read from it is gone", async () => {
  const folder = folderForThisTest();
  execFileSync("mkfifo", [join(folder, "file")]);
  const told = await watched(folder, ["file", "last"]);
  expect(await afterAnother(folder, told)).toEqual([]);
});

test("what was acknowledged is told no more, and what comes after it is", async () => {
  const folder = folderForThisTest();
  writeFileSync(join(folder, "file"), "old");
  const told: string[] = [];
  const watch = await watchFiles(
    [join(folder, "file")],
    () => void told.push(readFileSync(join(folder, "file"), "utf8")),
    INTERVAL_MS,
  );
  onTestFinished(() => watch.stop());
  const other = await watched(folder);
  writeFileSync(join(folder, "file"), "known");
  await watch.acknowledge();
  await until("the other watch told it", () => other.length === 1);
  writeFileSync(join(folder, "file"), "new");
  await until("it was told", () => told.length > 0);
  expect(told).toEqual(["new"]);
});

test("a watch that was stopped tells nothing more", async () => {
  const folder = folderForThisTest();
  const stopped: unknown[] = [];
  const watch = await watchFiles([join(folder, "file")], (changed) => void stopped.push(changed), INTERVAL_MS);
  const told = await watched(folder);
  watch.stop();
  writeFileSync(join(folder, "file"), "new");
  await until("the other watch told it", () => told.length > 0);
  expect(stopped).toEqual([]);
});

function sameLengthAndTime(path: string): void {
  const time = new Date(1_700_000_000_000);
  utimesSync(path, time, time);
  writeFileSync(path, "new");
  utimesSync(path, time, time);
}

function saveAsAnEditorDoes(path: string): void {
  renameSync(path, `${path}~`);
  writeFileSync(path, "new");
  unlinkSync(`${path}~`);
}

function replaceByFolder(path: string): void {
  unlinkSync(path);
  mkdirSync(path);
}

function linkElsewhere(path: string, folder: string): void {
  writeFileSync(join(folder, "elsewhere"), "new");
  symlinkSync("elsewhere", `${path}.new`);
  renameSync(`${path}.new`, path);
}

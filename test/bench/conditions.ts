import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { delimiter, join } from "node:path";
import type { Size } from "./options.ts";

/** Under what the figures were measured. */
export interface Conditions {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Whether servers and load each had a core to themselves, as far as this program has a say in it. */
  readonly pinned: boolean;
  /** Of the last minute. Above the number of cores, only ratios mean anything. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly size: string;
  readonly rounds: number;
  /** How many keys the servers had. */
  readonly serverKeys: number;
}

/** A program and its first arguments. */
type Command = [string, ...string[]];

const TASKSET = programOnPath("taskset");
const PINNED = TASKSET !== undefined && cpus().length > 1;

/** What is true at the end, beside the load that there was before anything was started. */
export function conditionsOf({ name: size, rounds, serverKeys }: Size, loadBefore: number): Conditions {
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model.trim() ?? "", cores: cpus().length, node: process.versions.node, pinned: PINNED };
  return { ...machine, loadBefore, loadAfter: loadAverage(), size, rounds, serverKeys };
}

export function loadAverage(): number {
  return loadavg()[0] ?? Number.NaN;
}

/** The command that runs another on the core of the servers (0) or of the load (1), where the machine can do that. */
export function onCore(core: 0 | 1, ...command: Command): Command {
  return PINNED ? ["taskset", "--cpu-list", String(core), ...command] : command;
}

/** Where a program lies on PATH; undefined where it does not. */
export function programOnPath(name: string): string | undefined {
  const folders = process.env.PATH?.split(delimiter) ?? [];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

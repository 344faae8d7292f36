import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Keyward } from "../../support/keyward.ts";
import { readMetrics } from "../../support/metrics.ts";
import { until } from "../../support/until.ts";

/** What its log says where a configuration is of no use. */
export const NOT_RELOADED = "the configuration was not reloaded; what was in effect stays in effect";

/** The lines of a log with this sentence, the oldest first. */
export function linesOf(keyward: Pick<Keyward, "log">, msg: string): Record<string, unknown>[] {
  return keyward
    .log()
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.includes(`"msg":${JSON.stringify(msg)}`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What the metrics tell of reloads. */
export async function reloadsOf({ ops }: Pick<Keyward, "ops">) {
  const samples = readMetrics(await (await fetch(`http://${ops}/metrics`)).text());
  return {
    success: samples.get('keyward_config_reloads_total{result="success"}') ?? 0,
    failure: samples.get('keyward_config_reloads_total{result="failure"}') ?? 0,
    last: samples.get("keyward_config_last_reload_successful"),
  };
}

/**
 * Has the file say something else, sends SIGHUP, and resolves once that was answered, and the log tells of it: whether it is
 * in effect. `untold`: the file has the log say nothing of that.
 */
export async function reload(
  keyward: Pick<Keyward, "log" | "ops" | "pid" | "folder">,
  config: string,
  telling: "told" | "untold" = "told",
): Promise<boolean> {
  const before = await reloadsOf(keyward);
  const told = () => linesOf(keyward, "reloaded").length + linesOf(keyward, NOT_RELOADED).length;
  const toldBefore = told();
  replaceFile(join(keyward.folder, "keyward.yaml"), config);
  process.kill(keyward.pid, "SIGHUP");
  let after = before;
  await until("the reload was answered", async () => {
    after = await reloadsOf(keyward);
    return after.success + after.failure > before.success + before.failure;
  });
  if (telling === "told") await until("the log tells of it", () => told() > toldBefore);
  return after.success > before.success;
}

/** Replaces a file in one step. */
export function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread, workerData } from "node:worker_threads";

// Loaded before Keyward in each of its threads: writes down which thread loads code from which package.

const file = process.env.PACKAGES_FILE ?? "";
const thread = isMainThread ? "main" : nameOf(workerData);

registerHooks({
  load(url, context, next) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined || url.startsWith("node:http")) appendFileSync(file, `${thread} ${name ?? url}\n`);
    return next(url, context);
  },
});

/** By what it was started with. */
function nameOf(data: object): string {
  if ("flags" in data) return "configuration";
  return "index" in data ? "check" : "writer";
}

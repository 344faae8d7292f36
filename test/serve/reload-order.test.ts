import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type LoadedSettings, loadSettings } from "../../src/config/load.ts";
import { reloadSettings } from "../../src/config/reload.ts";
import { newReloadCounts } from "../../src/observe/reload-counts.ts";
import { createReload } from "../../src/serve/reload.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

test("what was read first is not put into effect last, however long reading it takes", async () => {
  const cwd = folderForThisTest();
  const say = (level: string) => writeFileSync(join(cwd, "keyward.yaml"), `log: { level: ${level} }\n`);
  const sources = { flags: {}, env: {}, cwd };
  const slowly = Promise.withResolvers<void>();
  const levels: string[] = [];
  const isThere = Promise.withResolvers<void>();
  say("info");
  const reload = createReload({
    loaded: loadSettings(sources),
    configuration: {
      read: async () => loadSettings(sources),
      async readAgain(running: LoadedSettings) {
        const reloaded = reloadSettings(running, sources);
        isThere.resolve();
        if (reloaded.loaded.settings.log.level === "debug") await slowly.promise;
        return reloaded;
      },
    },
    reload: async ({ log }) => void levels.push(log.level),
    counts: newReloadCounts(0),
    log: () => {},
  });

  say("debug");
  const first = reload("file");
  await isThere.promise;
  say("error");
  const second = reload("SIGHUP");
  await turn();
  slowly.resolve();
  await Promise.all([first, second]);
  expect(levels).toEqual(["debug", "error"]);
});

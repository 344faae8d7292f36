import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { KeyFile } from "./key-files.ts";
import type { Contestant } from "./rounds.ts";
import { keywardFolder, startKeywardServer } from "./server.ts";

/** How long a start takes with each database, and how much heap a cached key takes. */
export function storeContestants(files: readonly KeyFile[], folder: string): Contestant[] {
  const starts = files.map((file): Contestant => {
    const own = keywardFolder(join(folder, `start-${file.keys}`), file);
    return {
      part: "store",
      row: ["start", `${file.keys} keys`],
      async measure() {
        const began = performance.now();
        const server = await startKeywardServer(own);
        const startMs = performance.now() - began;
        await server.stop();
        return { startMs };
      },
    };
  });
  return [...starts, ...files.slice(-1).map(heapContestant)];
}

function heapContestant({ path, keys }: KeyFile): Contestant {
  const child = fileURLToPath(new URL("children/cached-heap.ts", import.meta.url));
  return {
    part: "store",
    row: ["cached", `${keys} keys`],
    async measure() {
      const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", child, path]);
      return { heapBytesPerKey: Number(stdout) };
    },
  };
}

// killed-first-start.ts N PATH: opens the store and kills itself before its N-th call of a node:fs function.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";

const [, , last = "", path = ""] = process.argv;
const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
let calls = 0;

const { openStore } = await import("../../../src/store/store.ts");
openStore(`${dirname(path)}.elsewhere/keyward.db`).close(); // loads what is loaded on first use
for (const [name, original] of Object.entries(functions)) {
  if (!name.endsWith("Sync")) continue;
  functions[name] = (...args) => {
    calls++;
    if (calls === Number(last)) process.kill(process.pid, "SIGKILL");
    return original(...args);
  };
}
syncBuiltinESMExports();
openStore(path).close();

import { constants, setPriority } from "node:os";
import { type Extent, readThrough } from "../store/read-through.ts";
import { StoreRefusedError } from "../store/refusal.ts";
import type { Finding } from "./examination.ts";

// The body of the process that reads a database through while it is served: examiner PATH everything|keys. Prints what it
// found as one line of JSON; where it could not tell, it ends with another exit code than 0.

const [, , path = "", extent = ""] = process.argv;

// Checks come first. Not the lowest: on a processor that is never idle it would hardly end.
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // Where a sandbox forbids it, the file is read all the same.
}
// The terminal sends it to everybody; the program ends this one itself.
process.on("SIGINT", () => {});

process.stdout.write(JSON.stringify(find()));

function find(): Finding {
  try {
    return { file: readThrough(path, extent as Extent) };
  } catch (error) {
    if (error instanceof StoreRefusedError && error.code === "corrupt") return { damage: error.message };
    throw error;
  }
}

import { readdirSync, readFileSync } from "node:fs";

/** The processes that read a database through for a program, by their ids. */
export function examinersOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "))
    .filter((child) => child !== "" && /examiner\.[jt]s/.test(readFileSync(`/proc/${child}/cmdline`, "utf8")))
    .map(Number);
}

import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

// Loaded before a program, its threads and processes: the one that reads the database through waits until there is a file
// "read" in the working directory.

const isExaminer = /examiner\.[jt]s$/.test(process.argv[1] ?? "");
while (isExaminer && !existsSync("read")) await delay(20);

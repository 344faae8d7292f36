#!/usr/bin/env node
// Imports nothing before the version is known: on an older Node the native SQLite module crashes the process.
const required = [24, 14, 1];
const running = process.versions.node.split(".").map(Number);
const difference = required.map((part, index) => running[index] - part).find((part) => part !== 0);
if (difference !== undefined && difference < 0) {
  process.stderr.write(
    "keyward needs Node.js " +
      required.join(".") +
      " or later; this is " +
      process.versions.node +
      ". Install a newer one.\n",
  );
  process.exitCode = 1;
} else {
  import("../dist/main.js");
}

import { readFileSync } from "node:fs";
import { getSystemErrorMessage } from "node:util";
import type { Reading } from "./reading.ts";

/** Reads a file of UTF-8 text. The problem is a phrase that follows the file's name in a message. */
export function readTextFile(path: string): Reading<string> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = isSystemError(error) ? getSystemErrorMessage(error.errno) : String(error);
    return { problem: `cannot be read: ${reason}` };
  }
  try {
    return { value: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { problem: "is not UTF-8 text" };
  }
}

function isSystemError(error: unknown): error is { readonly errno: number } {
  return error instanceof Error && "errno" in error && typeof error.errno === "number";
}

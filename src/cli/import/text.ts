import { createReadStream } from "node:fs";
import { getSystemErrorMessage } from "node:util";
import { FileProblem } from "./draft.ts";

/** Longer than any record there is, and short enough that a file of 1 GB in one line is no trouble. */
export const MAX_RECORD_LENGTH = 1024 * 1024;

/**
 * Reads a file of UTF-8 text a piece at a time, without the byte order mark and with every line break as "\n". Throws
 * FileProblem where it cannot be read, is no text, or is empty.
 */
export async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let isEmpty = true;
  // A line break may be cut between two pieces.
  let heldBack = "";
  try {
    for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
      const text = heldBack + decoder.decode(bytes, { stream: true });
      heldBack = text.endsWith("\r") ? "\r" : "";
      const whole = text.slice(0, text.length - heldBack.length).replaceAll("\r\n", "\n");
      if (whole.trim() !== "") isEmpty = false;
      yield whole;
    }
    yield heldBack + decoder.decode();
  } catch (error) {
    throw asFileProblem(error);
  }
  if (isEmpty) throw new FileProblem("is empty");
}

/** Reads all of it, up to so many characters. */
export async function readWhole(pieces: AsyncIterable<string>, bound: number, advice: string): Promise<string> {
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length > bound) throw new FileProblem(`has more than ${bound} characters; ${advice}`);
  }
  return text;
}

function asFileProblem(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ("errno" in error && typeof error.errno === "number") {
    return new FileProblem(`cannot be read: ${getSystemErrorMessage(error.errno)}`);
  }
  return error instanceof TypeError && "code" in error ? new FileProblem("is not UTF-8 text") : error;
}

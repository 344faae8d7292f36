import { createReadStream } from "node:fs";
import type { ReadStream } from "node:tty";
import { MAX_TOKEN_LENGTH } from "../key/token.ts";
import { UsageError } from "./exit.ts";
import { tell } from "./output.ts";

/** The longest key there is, and white space around it. */
const MAX_LENGTH = MAX_TOKEN_LENGTH + 1_024;

/**
 * Reads a secret from where a flag says: `-` for stdin, `@FILE` for a file. A secret as the flag's own value is refused, and
 * not repeated: everybody on the machine can read the arguments of a program, and shells keep them. Typed at a terminal it
 * is not shown. White space around it is dropped.
 */
export async function readSecret(flag: string, from: string): Promise<string> {
  if (from !== "-" && !from.startsWith("@")) {
    throw new UsageError(
      `${flag} must be - (from stdin) or @FILE: others can read the arguments of a program; if that was a key in use, rotate it`,
    );
  }
  const place = from === "-" ? "stdin" : from.slice(1);
  const { stdin } = process;
  if (from === "-" && stdin.isTTY) tell(`${flag}: paste the key and press Enter; it is not shown`);
  const text = from === "-" && stdin.isTTY ? await readLine(flag, stdin) : await readAll(flag, place, from === "-");
  const secret = text.trim();
  if (secret === "") throw new UsageError(`${flag}: ${place} holds no key`);
  return secret;
}

async function readAll(flag: string, place: string, isStdin: boolean): Promise<string> {
  const stream = isStdin ? process.stdin : createReadStream(place);
  let text = "";
  try {
    for await (const chunk of stream.setEncoding("utf8")) {
      text += chunk;
      if (text.length > MAX_LENGTH) break;
    }
  } catch (error) {
    throw new UsageError(`${flag}: ${place} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text.length <= MAX_LENGTH) return text;
  throw new UsageError(`${flag}: ${place} holds more than ${MAX_LENGTH} characters, and so no key`);
}

const ENTER = ["\r", "\n"];
const CONTROL_C = "\u0003";
const CONTROL_D = "\u0004";

/** Reads a line from the terminal, which does not show it. */
async function readLine(flag: string, terminal: ReadStream): Promise<string> {
  let line = "";
  terminal.setRawMode(true).setEncoding("utf8");
  try {
    for await (const chunk of terminal) {
      for (const character of String(chunk)) {
        if (character === CONTROL_C) throw new UsageError(`${flag}: given up`);
        if (ENTER.includes(character) || character === CONTROL_D || line.length > MAX_LENGTH) return line;
        line += character;
      }
    }
    return line;
  } finally {
    terminal.setRawMode(false);
  }
}

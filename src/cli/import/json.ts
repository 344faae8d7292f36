import { type Entry, FileProblem } from "./draft.ts";
import { MAX_RECORD_LENGTH } from "./text.ts";

/** What stands around the place where the reader is. */
interface Container {
  readonly kind: "[" | "{";
  /** The names that lead here from the file's own value, joined by dots. */
  readonly path: string;
  /** Of an object: the name of the member in which the reader is. */
  name: string;
}

/**
 * Finds the records of a JSON file without holding all of it: objects one behind the other (one a line, say), those of an
 * array, or those of an array that an object has under one of the names in `lists`, such as "data" or "result.keys". Throws
 * FileProblem where the file ends in the middle, or is no JSON.
 */
export async function* readJson(pieces: AsyncIterable<string>, lists: ReadonlySet<string>): AsyncGenerator<Entry> {
  const stack: Container[] = [];
  let line = 1;
  let inText = false;
  let escaped = false;
  let text = "";
  /** The record that is being read, from its opening brace on; undefined between records. */
  let record: { text: string; readonly depth: number; readonly line: number; readonly list: string } | undefined;

  const parsed = (taken: NonNullable<typeof record>): Entry => {
    try {
      return { line: taken.line, list: taken.list, value: JSON.parse(taken.text) };
    } catch {
      throw new FileProblem(`is no JSON in the record of line ${taken.line}`);
    }
  };

  for await (const piece of pieces) {
    // What of this piece belongs to the record is taken at once, at its end.
    let from = 0;
    for (let index = 0; index < piece.length; index++) {
      const code = piece.charCodeAt(index);
      if (code === NEWLINE) line++;
      if (inText) {
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) inText = false;
        else if (text.length < MAX_NAME_LENGTH) text += piece.charAt(index);
        continue;
      }
      const top = stack.at(-1);
      switch (code) {
        case QUOTE:
          if (top === undefined) throw notJson(line);
          inText = true;
          text = "";
          break;
        case COLON:
          if (top?.kind === "{") top.name = text;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET: {
          const kind = code === OPEN_BRACE ? "{" : "[";
          const path = pathOf(top);
          const isInList = top?.kind === "[" && (stack.length === 1 || lists.has(top.path)) && record === undefined;
          if (kind === "{" && (isInList || top === undefined)) {
            record = { text: "", depth: stack.length, line, list: top?.path ?? "" };
            from = index;
          } else if (kind === "[" && record?.depth === 0 && lists.has(path)) {
            // The object around it is no record, but holds them.
            record = undefined;
          }
          stack.push({ kind, path, name: "" });
          break;
        }
        case CLOSE_BRACE:
        case CLOSE_BRACKET: {
          const closed = stack.pop();
          if (closed === undefined || (closed.kind === "{") !== (code === CLOSE_BRACE)) throw notJson(line);
          if (record !== undefined && stack.length === record.depth) {
            record.text += piece.slice(from, index + 1);
            yield parsed(record);
            record = undefined;
          }
          break;
        }
        default:
          if (top === undefined && code > SPACE && code !== COMMA) throw notJson(line);
      }
    }
    if (record !== undefined) {
      record.text += piece.slice(from);
      // What is around a list may be as long as it likes.
      if (record.text.length > MAX_RECORD_LENGTH && record.depth === 0) record = undefined;
      else if (record.text.length > MAX_RECORD_LENGTH) {
        throw new FileProblem(`has more than ${MAX_RECORD_LENGTH} characters in the record of line ${record.line}`);
      }
    }
  }
  if (stack.length > 0) throw new FileProblem(`ends in the middle, in line ${line}`);
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** No list that is looked for has a longer name. */
const MAX_NAME_LENGTH = 64;

function pathOf(top: Container | undefined): string {
  if (top === undefined || top.kind === "[") return top?.path ?? "";
  return top.path === "" ? top.name : `${top.path}.${top.name}`;
}

function notJson(line: number): FileProblem {
  return new FileProblem(`is no JSON in line ${line}`);
}

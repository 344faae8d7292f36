import { readCsv } from "./csv.ts";
import { type Draft, type Entry, EntryProblem, FileProblem } from "./draft.ts";
import { readJson } from "./json.ts";
import type { RecordReader, Refused, Source } from "./source.ts";
import { readText, readWhole } from "./text.ts";
import { MAX_YAML_LENGTH, readYaml } from "./yaml.ts";

/** Reads the keys of a file, one after another. Throws FileProblem where the file as a whole cannot be read. */
export async function* readFile(path: string, source: Source): AsyncGenerator<Draft | Refused> {
  const reader = source.createReader();
  let isEmpty = true;
  let isFirst = true;
  for await (const entry of entriesOf(readText(path), source)) {
    isEmpty = false;
    if ("problem" in entry) {
      yield entry;
      continue;
    }
    if (isFirst) judgeColumns(reader, entry, source);
    isFirst = false;
    yield* keysOf(entry, reader);
  }
  if (isEmpty) throw new FileProblem(`holds no records; this reads ${source.reads}`);
  yield* reader.end?.() ?? [];
}

function keysOf(entry: Entry, reader: RecordReader): readonly (Draft | Refused)[] {
  try {
    return reader.read(entry);
  } catch (error) {
    if (error instanceof EntryProblem) return [{ line: entry.line, problem: error.message }];
    throw error;
  }
}

async function* entriesOf(pieces: AsyncGenerator<string>, source: Source): AsyncGenerator<Entry | Refused> {
  const { first, all } = await peek(pieces);
  const { forms } = source;
  const lists = new Set(source.lists);
  if (forms.includes("json") && /^[[{]/.test(first)) yield* readJson(all, lists);
  else if (forms.includes("yaml")) {
    yield* readYaml(await readWhole(all, MAX_YAML_LENGTH, "export it as JSON, which is read piece by piece"), lists);
  } else if (forms.includes("csv")) yield* readCsv(all);
  else throw new FileProblem(`is no JSON; this reads ${source.reads}`);
}

/** The first piece that holds anything, and all pieces from the first on. */
async function peek(pieces: AsyncGenerator<string>): Promise<{ first: string; all: AsyncGenerator<string> }> {
  let before = "";
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    before += next.value;
    if (before.trim() !== "") break;
    // Blank lines count as lines, and are no reason to keep a gigabyte of them.
    if (before.length > MAX_BLANK_LENGTH) throw new FileProblem(`begins with more than ${MAX_BLANK_LENGTH} blanks`);
  }
  return { first: before.trimStart(), all: continued(before, pieces) };
}

const MAX_BLANK_LENGTH = 64 * 1024;

async function* continued(before: string, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  yield before;
  yield* pieces;
}

/** A table of another layout would be refused line by line, and in no line be told why. */
function judgeColumns({ columns }: RecordReader, { value }: Entry, source: Source): void {
  if (columns === undefined) return;
  const names = Object.keys(value as object);
  const missing = columns.needed.find((name) => !names.includes(name));
  if (missing !== undefined)
    throw new FileProblem(`has no column ${missing} in its first line; this reads ${source.reads}`);
  const unknown = names.find((name) => !columns.isKnown(name));
  if (unknown === undefined) return;
  // Where the first line names no columns, it may hold keys.
  const shown = /^[a-z_.]{1,40}$/i.test(unknown) ? `the column ${unknown}` : "an unknown column";
  throw new FileProblem(`has ${shown} in its first line; it may have ${columns.known}`);
}

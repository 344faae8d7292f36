import { type Entry, FileProblem } from "./draft.ts";
import { MAX_RECORD_LENGTH } from "./text.ts";

/**
 * Reads comma-separated values (RFC 4180) whose first record names the columns. Each further one is an entry: its values
 * by column. Throws FileProblem where the file ends within a record: a file that was cut looks like that. One that was cut
 * between two records looks whole.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
): AsyncGenerator<Entry | { line: number; problem: string }> {
  let columns: readonly string[] | undefined;
  for await (const { line, fields } of readRecords(pieces)) {
    if (columns === undefined) {
      columns = fields.map((field) => field.trim());
      const twice = columns.find((name, index) => columns?.indexOf(name) !== index);
      if (twice !== undefined) throw new FileProblem(`names the column ${JSON.stringify(twice.slice(0, 60))} twice`);
      continue;
    }
    if (fields.length === 1 && fields[0] === "") continue;
    if (fields.length !== columns.length) {
      yield { line, problem: `has ${fields.length} values; the first line names ${columns.length} columns` };
      continue;
    }
    yield { line, list: "", value: Object.fromEntries(columns.map((name, index) => [name, fields[index] ?? ""])) };
  }
}

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Where the reader is: at the start of a value, in a bare or a quoted one, or behind the quotation mark that ends one. */
type Place = "start" | "bare" | "quoted" | "behind";

async function* readRecords(pieces: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let place: Place = "start";
  let fields: string[] = [];
  let value = "";
  let length = 0;
  let line = 1;
  let firstLine = 1;
  const endField = () => {
    fields.push(value);
    value = "";
    place = "start";
  };
  for await (const piece of pieces) {
    for (let index = 0; index < piece.length; index++) {
      const character = piece.charAt(index);
      if (++length > MAX_RECORD_LENGTH) {
        throw new FileProblem(`has more than ${MAX_RECORD_LENGTH} characters in the record of line ${firstLine}`);
      }
      if (character === "\n") line++;
      if (place === "quoted") {
        if (character === '"') place = "behind";
        else value += character;
      } else if (character === '"' && place === "behind") {
        value += character;
        place = "quoted";
      } else if (character === '"' && place === "start") {
        place = "quoted";
      } else if (character === ",") {
        endField();
      } else if (character === "\n") {
        endField();
        yield { line: firstLine, fields };
        fields = [];
        length = 0;
        firstLine = line;
      } else if (place === "behind" || character === '"') {
        throw new FileProblem(`has a quotation mark in the middle of a value, in line ${line}`);
      } else {
        place = "bare";
        value += character;
      }
    }
  }
  if (length > 0) {
    throw new FileProblem(`ends within line ${firstLine}: it was cut, or the last line has no line break`);
  }
}

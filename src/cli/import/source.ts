import type { z } from "zod";
import { type Draft, type Entry, EntryProblem } from "./draft.ts";

/** A system from which keys can be imported. */
export interface Source {
  /** What its files are, in words that follow "reads". */
  readonly reads: string;
  /** Which forms they can have; what begins with "{" or "[" is taken for JSON where that is one of them. */
  readonly forms: readonly ("csv" | "json" | "yaml")[];
  /** The lists in which records stand, but for the file itself. */
  readonly lists: readonly string[];
  /** Makes a reader for one file. */
  createReader(): RecordReader;
}

/** A record from which no key can be made. */
export interface Refused {
  readonly line: number;
  readonly problem: string;
}

/** Reads the records of one file, in their order. */
export interface RecordReader {
  /** The keys of one record, of which there may be none. Throws EntryProblem. */
  read(entry: Entry): readonly Draft[];
  /** The keys that could not be told before the last record was known, and why some cannot be. */
  end?(): readonly (Draft | Refused)[];
  /** Which columns a CSV file must have, and which it may have; left out: whichever. */
  readonly columns?: { readonly needed: readonly string[]; isKnown(name: string): boolean; readonly known: string };
}

/** Reads a record by its schema. Throws EntryProblem, which names the field and not its value. */
export function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new EntryProblem(`${issue?.path.join(".") || "the record"} ${issue?.message ?? "cannot be read"}`);
}

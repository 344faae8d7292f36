import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import { show } from "./reading.ts";

/** Aliases are for people who repeat themselves; more of them are there to fill the memory. */
const MAX_ALIASES = 100;

/** Something wrong in a file. Lines count from 1. */
interface LineProblem {
  readonly line: number;
  readonly message: string;
}

/** A YAML file as plain data, undefined where it cannot be understood. */
interface YamlDocument {
  readonly data: unknown;
  readonly problems: readonly LineProblem[];
  /** The line of what a path of keys and indexes leads to (of its key, where it has one), or of the nearest above. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** What the parser says about these codes helps programmers more than operators. Given the text from the fault on. */
const EXPLANATIONS: { readonly [code: string]: (rest: string) => string } = {
  DUPLICATE_KEY: (rest) => `key ${show(/^["']?([^"':,\s]*)/.exec(rest)?.[1])} occurs twice`,
  MULTIPLE_DOCS: () => "a second document begins here, but only one can be read",
};

/**
 * Reads one YAML 1.2 document. Broken syntax, repeated keys, unknown tags or aliases and a second document are problems,
 * and all of them are reported; a file that says nothing is an empty mapping.
 */
export function readYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos: [start] }) => ({
    line: lineAt(start),
    message: EXPLANATIONS[code]?.(text.slice(start)) ?? message,
  }));
  const lineOf = (path: readonly PropertyKey[]): number => lineAt(offsetOf(document, path));
  // A repeated key leaves the rest readable, so that its other faults can be reported at once.
  if (document.errors.some(({ code }) => code !== "DUPLICATE_KEY")) return { data: undefined, problems, lineOf };
  try {
    return { data: document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {}, problems, lineOf };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error; // The parser's class for aliases: unknown ones, and too many.
    problems.push({ line: lineAt(culprit(document)?.range?.[0] ?? 0), message: error.message });
    return { data: undefined, problems, lineOf };
  }
}

/** The first alias that leads nowhere, or else the first of all. */
function culprit(document: Document): Alias | undefined {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => void aliases.push(alias) });
  return aliases.find((alias) => alias.resolve(document) === undefined) ?? aliases[0];
}

/** Follows a path as far as it goes and returns the offset of the last key or item met. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value ?? "") === String(step));
      if (pair === undefined) break;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      offset = (isScalar(item) || isMap(item) || isSeq(item) || isAlias(item) ? item.range?.[0] : undefined) ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

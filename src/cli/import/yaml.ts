import { isMap, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import { type Entry, FileProblem } from "./draft.ts";

/** Each character takes some eighty bytes while it is read, since YAML can refer back to anything; 50,000 keys fit. */
export const MAX_YAML_LENGTH = 8 * 1024 * 1024;

/** Longest of the aliases that a file may repeat: what refers to itself again and again grows without end. */
const MAX_ALIASES = 100;

/**
 * Finds the records of a YAML file: of each document those of the list that it is, or has under one of the names in
 * `lists`, or the document itself. Every scalar is the text that stands there: `0123` is no number. Throws FileProblem.
 */
export function* readYaml(text: string, lists: ReadonlySet<string>): Generator<Entry> {
  if (!text.endsWith("\n")) throw new FileProblem("does not end with a line break: it was cut, or needs one");
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, schema: "failsafe", logLevel: "silent" });
  for (const document of "empty" in documents ? [] : documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      throw new FileProblem(`is no YAML in line ${lineCounter.linePos(error.pos[0]).line} (${error.code})`);
    }
    const entryOf = (node: Node, list: string): Entry => {
      const line = lineCounter.linePos(node.range?.[0] ?? 0).line;
      try {
        return { line, list, value: node.toJS(document, { maxAliasCount: MAX_ALIASES }) };
      } catch {
        throw new FileProblem(`repeats too much by aliases, from line ${line} on`);
      }
    };
    const { contents } = document;
    const found = isMap(contents)
      ? [...lists]
          .map((list) => ({ list, node: document.getIn(list.split("."), true) }))
          .filter(({ node }) => isSeq(node))
      : [{ list: "", node: contents }];
    if (isMap(contents) && found.length === 0) yield entryOf(contents, "");
    for (const { list, node } of found) {
      if (!isSeq(node)) continue;
      for (const item of node.items) yield entryOf(item as Node, list);
    }
  }
}

/** What a table may be made of. */
interface Vocabulary<Row, Column, Word> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
  readonly words: readonly Word[];
}

/** One answer of a table. */
interface Cell<Row, Column, Word> {
  readonly row: Row;
  readonly column: Column;
  readonly word: Word;
  /** Whether its row or its column stands in parentheses. */
  readonly parenthesized: boolean;
}

/**
 * Reads tables of text: a line of headings, then lines of a name, a bar and a word below each heading. The row `(each)`
 * stands for all of them. Throws where a word does not begin exactly below its heading, where a name or word is not known,
 * and where a row does not have each column exactly once.
 */
export function parseTables<Row extends string, Column extends string, Word extends string>(
  texts: readonly string[],
  vocabulary: Vocabulary<Row, Column, Word>,
): Cell<Row, Column, Word>[] {
  const { rows, columns } = vocabulary;
  const cells = texts.flatMap((text) => parseTable(text, vocabulary));
  for (const row of rows) {
    for (const column of columns) {
      const times = cells.filter((cell) => cell.row === row && cell.column === column).length;
      if (times !== 1) throw new Error(`${row} × ${column} stands ${times} times`);
    }
  }
  return cells;
}

const EACH = "(each)";

function parseTable<Row extends string, Column extends string, Word extends string>(
  text: string,
  { rows, columns, words }: Vocabulary<Row, Column, Word>,
): Cell<Row, Column, Word>[] {
  const [head, ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const { name, texts: headings, places } = readLine(head ?? "");
  if (name !== "") throw new Error(`headings have no name: ${name}`);
  return lines.flatMap((line) => {
    const read = readLine(line);
    if (read.places !== places) throw new Error(`not below the headings: ${line}`);
    return (read.name === EACH ? rows : [known(rows, read.name)]).flatMap((row) =>
      headings.map((heading, index) => ({
        row,
        column: known(columns, heading),
        word: known(words, read.texts[index] ?? ""),
        parenthesized: [heading, read.name].some((text) => PARENTHESIZED.test(text)),
      })),
    );
  });
}

const PARENTHESIZED = /^\((.+)\)$/;

function readLine(line: string) {
  const [name, cells, ...more] = line.split("|");
  if (name === undefined || cells === undefined || more.length > 0) throw new Error(`must have one bar: ${line}`);
  const found = [...cells.matchAll(/\S+/g)];
  const places = [name.length, ...found.map(({ index }) => index)].join(" ");
  return { name: name.trim(), texts: found.map(([text]) => text), places };
}

function known<Name extends string>(names: readonly Name[], text: string): Name {
  const bare = text.replace(PARENTHESIZED, "$1");
  const found = names.find((name) => name === bare);
  if (found === undefined) throw new Error(`is not known: ${text}`);
  return found;
}

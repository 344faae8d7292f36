/** A line of a table. */
type Cells = readonly string[];

/** What README shows: how the title of a table begins, its columns, and which of its rows. */
const SHOWN = [
  {
    title: "Servers",
    columns: ["server", "asked", "CPU µs", "÷ grpc-js", "÷ http2", "calls/s"],
    shows: ([server = "", asked = "", load]: Cells) =>
      load === "2×16" && (server === "Keyward, h2" || ["hit", "constant"].includes(asked)),
  },
  {
    title: "Through Envoy",
    columns: ["listener", "added p50 µs", "added p99 µs"],
    shows: ([listener]: Cells) => listener !== "no filter",
  },
] as const;

/**
 * What README shows of the tables that the benchmark prints: parts of them, unchanged, and the conditions behind. Throws
 * where a part of the benchmark is missing: nothing is published of half a run.
 */
export function summaryOf(text: string): string {
  const blocks = text.trimEnd().split("\n\n");
  const tables = SHOWN.map(({ title, columns, shows }) => {
    const table = blocks[blocks.findIndex((block) => block.startsWith(title)) + 1];
    if (!table?.startsWith("|")) throw new Error(`there is no table "${title}": were all parts of the benchmark run?`);
    const [head = [], , ...rows] = table.split("\n").map(cellsOf);
    const places = columns.map((column) => head.indexOf(column));
    const shown = [head, head.map(() => "---"), ...rows.filter(shows)];
    return shown.map((cells) => `| ${places.map((place) => cells[place]).join(" | ")} |\n`).join("");
  });
  return `${[...tables, blocks.at(-1)].join("\n")}\n`;
}

function cellsOf(line: string): Cells {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

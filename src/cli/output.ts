import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import Table from "cli-table3";
import { type Command, Option } from "commander";
import { stringify } from "yaml";

/** The values of the output flags. */
export interface OutputFlags {
  readonly output: "table" | "json" | "yaml";
  readonly quiet?: boolean;
}

/** Gives a command `-o` and `-q`. `quietly` says what `-q` prints. */
export function addOutputFlags(command: Command, quietly: string): Command {
  return command
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table"))
    .option("-q, --quiet", `print only ${quietly}`);
}

/** Prints an answer of the admin API: what `-q` asks for, the API's own JSON (also as YAML), or a table. */
export function printMessage<Schema extends DescMessage>(
  flags: OutputFlags,
  schema: Schema,
  message: MessageShape<Schema>,
  views: { readonly quiet: string; readonly table: string },
): void {
  if (flags.quiet) process.stdout.write(views.quiet === "" ? "" : `${views.quiet}\n`);
  else if (flags.output === "json") process.stdout.write(`${JSON.stringify(toJson(schema, message), null, 2)}\n`);
  else if (flags.output === "yaml") process.stdout.write(stringify(toJson(schema, message)));
  else process.stdout.write(`${views.table}\n`);
}

/** Prints what a command itself has found out, in the same ways: as JSON or YAML by these names, or one fact a line. */
export function printFacts(flags: OutputFlags, quiet: string, found: Readonly<Record<string, unknown>>): void {
  if (flags.quiet) process.stdout.write(`${quiet}\n`);
  else if (flags.output === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (flags.output === "yaml") process.stdout.write(stringify(found));
  else
    process.stdout.write(
      `${facts(Object.entries(found).map(([name, value]) => [name.replaceAll("_", " "), shown(value)]))}\n`,
    );
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join("\n") : String(value ?? "");
}

/** Tells a person something that is not the answer. */
export function tell(message: string): void {
  process.stderr.write(`${message}\n`);
}

const PLAIN = {
  chars: Object.fromEntries(
    ["top", "bottom", "mid"]
      .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
      .concat(["left", "left-mid", "mid-mid", "right", "right-mid"])
      .map((name) => [name, ""]),
  ),
  style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
};

/** Rows under a head, columns aligned, two spaces between them. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ ...PLAIN, chars: { ...PLAIN.chars, middle: "  " } });
  table.push([...head], ...rows.map((row) => [...row]));
  return withoutTrailingSpaces(table.toString());
}

/** One fact a line, without those that have no value. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const table = new Table({ ...PLAIN, chars: { ...PLAIN.chars, middle: "  " } });
  table.push(...pairs.filter(([, value]) => value !== "").map((pair) => [...pair]));
  return withoutTrailingSpaces(table.toString());
}

function withoutTrailingSpaces(text: string): string {
  return text.replaceAll(/ +$/gm, "");
}

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FileProblem } from "../../../src/cli/import/draft.ts";
import { readFile } from "../../../src/cli/import/read-file.ts";
import { SOURCES } from "../../../src/cli/import/sources.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

function fileOf(content: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), "keyward-import-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "keys");
  writeFileSync(path, content);
  return path;
}

/** The records of a file in short: the line with the name, or with the problem. */
async function readPath(path: string, from: string): Promise<string[]> {
  const source = SOURCES[from];
  if (source === undefined) throw new Error(`no source ${from}`);
  const found: string[] = [];
  for await (const record of readFile(path, source)) {
    found.push("problem" in record ? `${record.line}! ${record.problem}` : `${record.line} ${record.name}`);
  }
  return found;
}

const read = (content: string | Uint8Array, from = "sha256-hex") => readPath(fileOf(content), from);

async function problemOf(content: string | Uint8Array, from?: string): Promise<string> {
  const error: unknown = await read(content, from).catch((reason: unknown) => reason);
  return error instanceof FileProblem ? error.message : `no problem: ${JSON.stringify(error)}`;
}

describe("a table is read", () => {
  test.each<[string, string, string[]]>([
    ["line by line", `hash,name\n${A},one\n${B},two\n`, ["2 one", "3 two"]],
    ["with its columns in any order", `name,hash\none,${A}\n`, ["2 one"]],
    ["with a byte order mark", `\u{feff}hash,name\n${A},one\n`, ["2 one"]],
    ["with CRLF", `hash,name\r\n${A},one\r\n${B},two\r\n`, ["2 one", "3 two"]],
    ["with values in quotation marks", `"hash","name"\n"${A}","a ""b"", c\nd"\n${B},two\n`, ['2 a "b", c\nd', "4 two"]],
    ["with blank lines", `hash,name\n\n${A},one\n\n`, ["3 one"]],
    ["with a line that is too short", `hash,name\n${A}\n`, ["2! has 1 values; the first line names 2 columns"]],
    ["with a line that is too long", `hash,name\n${A},x,y\n`, ["2! has 3 values; the first line names 2 columns"]],
    [
      "with a line that has no hash",
      `hash,name\n${A.slice(1)},one\n`,
      ["2! the hash has 63 characters; it must be a SHA-256 or SHA-512 in hex, base64 or base64url"],
    ],
    [
      "with a truth value that is none",
      `hash,name,disabled\n${A},one,perhaps\n`,
      ["2! disabled must be true or false"],
    ],
    [
      "with a time that is none",
      `hash,name,expires_at\n${A},one,tomorrow\n`,
      ["2! expires_at must be a time such as 2026-12-31T23:59:59Z"],
    ],
    ["with a rate limit that is none", `hash,name,rate_limit\n${A},one,5\n`, ["2! rate_limit must be such as 100/60s"]],
  ])("%s", async (_, content, expected) => {
    expect(await read(content)).toEqual(expected);
  });
});

describe("a file is refused as a whole", () => {
  test.each<[string, string | Uint8Array, string, string]>([
    ["that is empty", "", "sha256-hex", "is empty"],
    ["of blanks", "\n \n", "sha256-hex", "is empty"],
    ["of a byte order mark", "\u{feff}", "sha256-hex", "is empty"],
    [
      "that was cut in a line",
      `hash,name\n${A},one\n${B},tw`,
      "sha256-hex",
      "ends within line 3: it was cut, or the last line has no line break",
    ],
    [
      "that was cut in a quoted value",
      `hash,name\n${A},"one\n${B},two\n`,
      "sha256-hex",
      "ends within line 2: it was cut, or the last line has no line break",
    ],
    ["without the column", "digest,name\nx,y\n", "sha256-hex", "has no column hash in its first line"],
    [
      "with another column",
      `hash,nmae\n${A},y\n`,
      "sha256-hex",
      "has the column nmae in its first line; it may have hash,",
    ],
    ["without a first line of names", `${A},one\n${B},two\n`, "sha256-hex", "has no column hash in its first line"],
    ["that names a column twice", `hash,hash\n${A},${A}\n`, "sha256-hex", 'names the column "hash" twice'],
    [
      "with a first line and no more",
      "hash,name\n",
      "sha256-hex",
      "holds no records; this reads CSV with the column hash",
    ],
    ["that is no UTF-8", Uint8Array.of(0xff, 0xfe, 0x68, 0x00), "sha256-hex", "is not UTF-8 text"],
    ["of JSON that was cut in a record", '[{"key":"a"},{"key":', "better-auth", "ends in the middle, in line 1"],
    ["of JSON that was cut between records", '{"data":[\n{"key":"a"},', "unkey", "ends in the middle, in line 2"],
    ["of JSON that is none", '[{"key":]', "better-auth", "is no JSON in line 1"],
    ["of a record that is no JSON", '[{"key":\n"a",}]', "better-auth", "is no JSON in the record of line 1"],
    ["of JSON without records", '{"data":[]}', "better-auth", "holds no records"],
    ["of YAML that was cut", "consumers:\n- username: a", "kong", "does not end with a line break"],
    ["of YAML that is none", 'consumers:\n- "a\n', "kong", "is no YAML in line"],
  ])("%s", async (_, content, from, problem) => {
    expect(await problemOf(content, from)).toMatch(problem);
  });

  test("that is not there", async () => {
    await expect(readPath(join(tmpdir(), "keyward-no-such-file"), "kong")).rejects.toThrow(
      "cannot be read: no such file or directory",
    );
  });

  test.each<[string, string, string, string]>([
    ["of CSV", "sha256-hex", "hash,name\nx,", "has more than 1048576 characters in the record of line 2"],
    [
      "of CSV in quotation marks",
      "plaintext",
      'key,name\nx,"',
      "has more than 1048576 characters in the record of line 2",
    ],
    ["of a JSON record", "better-auth", '[{"key":"', "has more than 1048576 characters in the record of line 1"],
    ["of YAML", "kong", "consumers:\n", "has more than 8388608 characters; export it as JSON"],
  ])("with a gigabyte in one line %s, which is never in memory as a whole", async (_, from, start, problem) => {
    const path = fileOf(start);
    // Blocks that are not written are zeros, and take no room on the disk.
    truncateSync(path, 1024 ** 3);
    const before = process.memoryUsage().rss;
    await expect(readPath(path, from)).rejects.toThrow(problem);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 ** 2);
  });
});

describe("JSON is read", () => {
  const row = (name: string) => JSON.stringify({ name, key: "A".repeat(43) });

  test.each<[string, string, string[]]>([
    ["as a list", `[\n${row("one")},\n${row("two")}]`, ["2 one", "3 two"]],
    ["as one record a line", `${row("one")}\n${row("two")}\n`, ["1 one", "2 two"]],
    ["as a list under a name", `{"x":[1,{"y":2}],\n"data":[${row("one")},\n${row("two")}],"z":{}}`, ["2 one", "3 two"]],
    ["with braces and quotation marks in texts", `[${row('}]"\\{[')}]`, ['1 }]"\\{[']],
    ["with a byte order mark and CRLF", `\u{feff}[\r\n${row("one")}\r\n]\r\n`, ["2 one"]],
  ])("%s", async (_, content, expected) => {
    expect(await read(content, "better-auth")).toEqual(expected);
  });

  test("as far as a record, wherever the file is cut into pieces", async () => {
    // A stream gives 64 KiB at a time.
    const names = Array.from({ length: 2_000 }, (_, index) => `key ${index} \u{e4}\u{1f511}`);
    const found = await read(`[${names.map(row).join(",\n")}]`, "better-auth");
    expect(found).toEqual(names.map((name, index) => `${index + 1} ${name}`));
  });
});

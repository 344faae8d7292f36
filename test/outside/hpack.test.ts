import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { Field } from "../../src/h2/field.ts";
import { HpackDecoder } from "../../src/h2/hpack/decoder.ts";

const run = promisify(execFile);
const MODULE = fileURLToPath(new URL("clients", import.meta.url));
const BLOCKS = 10_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

type Pair = readonly [name: string, value: string];

/** Reads what `clients/hpack` writes. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  number(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  bytes(): Buffer {
    const length = this.number();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  fields(): Pair[] {
    return Array.from({ length: this.number() }, () => [
      this.bytes().toString("latin1"),
      this.bytes().toString("latin1"),
    ]);
  }
}

// Needs Go (Debian: golang-go). The Go module proxy is asked once; then it is all in Go's cache.
test(`${BLOCKS} blocks of Go's encoder are decoded to what was encoded`, { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "keyward-hpack-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "hpack");
  await run("go", ["build", "-buildvcs=false", "-o", program, "./hpack"], { cwd: MODULE });
  const seed = randomInt(1_000_000);
  const options = { encoding: "buffer", maxBuffer: MAX_OUTPUT_BYTES } as const;
  const { stdout } = await run(program, [String(seed), String(BLOCKS)], options);
  const reader = new Reader(stdout);
  const decoder = new HpackDecoder();
  let [count, sizes] = [0, 0];
  while (reader.hasMore) {
    const block = reader.bytes();
    const decoded: Pair[] = [];
    decoder.decode(block, 0, block.length, { add: ({ name, value }: Field) => decoded.push([name, value]) });
    expect(decoded, `with the seed ${seed}`).toEqual(reader.fields());
    count += decoded.length;
    if (((block[0] ?? 0) & 0xe0) === 0x20) sizes++;
  }
  expect(count).toBeGreaterThan(5 * BLOCKS);
  expect(sizes).toBeGreaterThan(BLOCKS / 20);
});

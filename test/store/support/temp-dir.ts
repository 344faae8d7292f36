import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A path for a store in a directory of its own that is gone after the test. Nothing is there yet. */
export function newStorePath(): string {
  const directory = mkdtempSync(join(tmpdir(), "keyward-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "keyward.db");
}

import { onTestFinished } from "vitest";
import { type KeyReader, openKeyReader } from "../../../src/store/reader.ts";
import { openStore, type Store } from "../../../src/store/store.ts";
import { newStorePath } from "./temp-dir.ts";

/** A store in a file of its own, closed after the test. */
export function newStore(): { store: Store; path: string } {
  const path = newStorePath();
  return { store: openedStore(path), path };
}

/** A further writing handle on the file. */
export function openedStore(path: string): Store {
  const store = openStore(path, { busyTimeoutMs: 20 });
  onTestFinished(() => store.close());
  return store;
}

/** A reader of the file, closed after the test. */
export function openedReader(path: string): KeyReader {
  const reader = openKeyReader(path);
  onTestFinished(() => reader.close());
  return reader;
}

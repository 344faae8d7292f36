import { openStore, type Store } from "../../src/store/store.ts";
import type { Keyward } from "./keyward.ts";

/** Works on the database of a running Keyward beside it, for what its API cannot make: a past, or colliding starts. */
export function withStore({ database }: Pick<Keyward, "database">, work: (store: Store) => void): void {
  const store = openStore(database);
  try {
    work(store);
  } finally {
    store.close();
  }
}

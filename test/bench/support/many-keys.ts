import { hash } from "node:crypto";
import { ID_RANDOM_BYTES, writeId } from "../../../src/key/id.ts";
import { writeSecret } from "../../../src/key/secret.ts";
import { openStore } from "../../../src/store/store.ts";

/** As many rows as one import is allowed to have elsewhere: a transaction of some seconds. */
const BATCH = 100_000;

const actor = { name: "local", source: "local" } as const;

/** The secret of the key of a number, which need not be kept: it is drawn from the number. */
export function secretOf(number: number): string {
  return writeSecret("kw", hash("sha256", `measured ${number}`, "buffer"));
}

/** Makes `count` keys in a database that nobody serves: owner, two scopes and a path each, as an import makes them. */
export function fillStore(database: string, count: number): void {
  const store = openStore(database);
  const writeNext = (number: number) =>
    writeId("key", 1, hash("sha256", `id ${number}`, "buffer").subarray(0, ID_RANDOM_BYTES));
  try {
    for (let from = 0; from < count; from += BATCH) {
      const id = `import_${from}`;
      const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, offset) => from + offset);
      store.beginImport(id, "measure", actor, 1, 0);
      store.stageImport(id, { rows: numbers.map(keyOf), refusedCount: 0 }, 1);
      let next = from;
      store.commitImport(id, () => writeNext(next++), actor, 1);
    }
  } finally {
    store.close();
  }
}

function keyOf(number: number) {
  const secret = secretOf(number);
  const lists = { paths: ["/"], methods: [], cidrs: [], metadata: {}, inheritsScopes: false };
  return {
    line: number,
    digest: hash("sha256", secret, "hex"),
    start: secret.slice(0, "kw_".length + 8),
    name: `key ${number}`,
    note: "",
    owner: `user/${number % 1000}`,
    scopes: ["api:read", "api:write"],
    ...lists,
  };
}

// create-keys.ts PATH: creates and revokes keys without end and prints the id of each once it is done.
import { writeSync } from "node:fs";
import { openStore } from "../../../src/store/store.ts";
import { local, sampleKey } from "../support/keys.ts";

const store = openStore(process.argv[2] ?? "");
for (let number = 0; ; number++) {
  const { id } = store.createKey(sampleKey(`${process.pid}-${number}`), local, 1);
  writeSync(1, `created ${id}\n`);
  store.revokeKey(id, "over", local, 2);
  writeSync(1, `revoked ${id}\n`);
}

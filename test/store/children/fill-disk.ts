// fill-disk.ts PATH: creates keys until the store fails; prints the error's code and the last revision that it has.
import { openStore } from "../../../src/store/store.ts";
import { local, sampleKey } from "../support/keys.ts";

const store = openStore(process.argv[2] ?? "");
let done = 0;
try {
  for (; done < 10_000; done++) store.createKey(sampleKey(String(done), { note: "x".repeat(2000) }), local, 1);
} catch (error) {
  console.log((error as { code?: string }).code, store.revision() === done);
}
store.close();

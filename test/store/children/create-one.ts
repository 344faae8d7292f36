// create-one.ts PATH NAME: another process that creates one key.
import { openStore } from "../../../src/store/store.ts";
import { local, sampleKey } from "../support/keys.ts";

const [, , path = "", name = ""] = process.argv;
const store = openStore(path);
console.log(store.createKey(sampleKey(name), local, 1).id);
store.close();

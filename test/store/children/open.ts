// open.ts writer|reader PATH: opens the store and prints "opened", or the code of the error.
import { openKeyReader } from "../../../src/store/reader.ts";
import { openStore } from "../../../src/store/store.ts";

const [, , side, path = ""] = process.argv;
try {
  const opened = side === "writer" ? openStore(path) : openKeyReader(path);
  opened.close();
  console.log("opened");
} catch (error) {
  console.log((error as { code?: string }).code);
}

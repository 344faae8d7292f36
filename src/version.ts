import { readFileSync } from "node:fs";

/** The version of the program, as its package states it. The package lies one folder above, before the build and after. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

import { registerHooks } from "node:module";

// Loads the modules given as file URLs and prints every module that was loaded, one a line. An import of anything that
// is not a file beside the importing one, a module of Node's or a package, ends the program.

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!/^(\.|file:)/.test(specifier)) throw new Error(`refused ${specifier}`);
    const resolved = nextResolve(specifier, context);
    console.log(resolved.url);
    return resolved;
  },
});

for (const url of process.argv.slice(2)) await import(url);

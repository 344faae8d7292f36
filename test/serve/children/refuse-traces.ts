import { registerHooks } from "node:module";

// Loaded before Keyward in each of its threads: whatever has to do with sending traces cannot be imported.
registerHooks({
  resolve(specifier, context, next) {
    if (/traces\/(tracer|exporter|otlp)\.ts$/.test(specifier)) throw new Error(`${specifier} was imported`);
    return next(specifier, context);
  },
});

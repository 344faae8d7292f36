/**
 * Where the body of a thread or process lies that a module beside it starts, by its name without an ending. The build turns
 * `.ts` into `.js`, but not in a URL: here, and nowhere else, the ending is that of the module.
 */
export function bodyBeside(module: string, name: string): URL {
  return new URL(`./${name}${module.endsWith(".ts") ? ".ts" : ".js"}`, module);
}

/**
 * What it is told of the environment: our own variables, and those of OpenTelemetry, may hold secrets that are none of its
 * business. What it needs to know, it is handed.
 */
export const BODY_ENV = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(KEYWARD|OTEL)_/.test(name)),
);

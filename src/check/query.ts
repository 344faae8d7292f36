/** One parameter of a query. */
export interface QueryParameter {
  /** Its name as it was written, which is how Envoy finds it to remove it. */
  readonly spelling: string;
  /** Decoded. */
  readonly value: string;
}

/**
 * The query parameters of one name in a request target, whatever escapes their names are written with. Only `&` separates
 * (WHATWG URL §5.1), `+` is a space, and a parameter without `=` has an empty value. A value with an escape that is not
 * one has no reading: it is returned as it was written, `%` and all, which no key has.
 */
export function parametersNamed(name: string, target: string): QueryParameter[] {
  const question = target.indexOf("?");
  if (question === -1) return [];
  const found: QueryParameter[] = [];
  for (const pair of target.slice(question + 1).split("&")) {
    const equals = pair.indexOf("=");
    const spelling = equals === -1 ? pair : pair.slice(0, equals);
    if (decode(spelling) === name) found.push({ spelling, value: equals === -1 ? "" : decode(pair.slice(equals + 1)) });
  }
  return found;
}

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

import { trim } from "./white-space.ts";

/**
 * The values of the cookies of one name in a Cookie header (RFC 6265 §4.2). Pairs are split at `;`, and at `,`, with which
 * Envoy folds repeated headers. Names compare exactly; quotes belong to the value.
 */
export function cookiesNamed(name: string, header: string): string[] {
  const values: string[] = [];
  for (const pair of pairsOf(header)) if (nameOf(pair) === name) values.push(textOf(pair));
  return values;
}

/**
 * A Cookie header without some of its cookies; empty where no other is left. What an answer to Envoy cannot hold, since
 * it is not UTF-8 or has a control character in it, is left out as well: Envoy would take the answer for a failed check.
 */
export function withoutCookies(header: string, isDropped: (name: string, value: string) => boolean): string {
  return pairsOf(header)
    .filter((pair) => SENDABLE.test(pair) && !isDropped(nameOf(pair) ?? "", textOf(pair)))
    .join("; ");
}

/** Well-formed UTF-8 (RFC 3629 §4), one character a byte. */
const SENDABLE =
  /^(?:[\t -~]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*$/;

function pairsOf(header: string): string[] {
  return header
    .split(/[;,]/)
    .map(trim)
    .filter((pair) => pair !== "");
}

/** What stands before the `=`; a text without one is a value without a name to some and a name to others. */
function nameOf(pair: string): string | undefined {
  const equals = pair.indexOf("=");
  return equals === -1 ? undefined : trim(pair.slice(0, equals));
}

function textOf(pair: string): string {
  return pair.slice(pair.indexOf("=") + 1);
}

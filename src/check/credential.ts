import { isSecret } from "../key/secret.ts";
import type { Header } from "./decode.ts";

/** A place where a key may be presented. Names in lower case. */
export type CredentialSource =
  | { readonly from: "scheme"; readonly name: string }
  | { readonly from: "header"; readonly name: string };

/** `Authorization: Bearer KEY` (RFC 6750 §2.1), `Authorization: ApiKey KEY`, `x-api-key: KEY`. */
export const DEFAULT_SOURCES: readonly CredentialSource[] = [
  { from: "scheme", name: "bearer" },
  { from: "scheme", name: "apikey" },
  { from: "header", name: "x-api-key" },
];

/** The secret that a caller presented, or why there is none. */
type Credential =
  | { readonly secret: string; readonly carriers: readonly string[] }
  | "no_credential"
  | "ambiguous_credential"
  | "malformed_credential";

/** Reads credentials from the watched headers of a request. */
export interface CredentialReader {
  /** The headers it needs to see, in lower case. */
  readonly headers: readonly string[];
  /**
   * The secret the caller presented, and the headers that carried it. Two different secrets in one request are refused,
   * and so is a header that is there twice or holds a comma: guessing which was meant is how the wrong key opens the
   * door.
   */
  read(headers: readonly Header[]): Credential;
  /** The headers that carry a text of our own key form, on a route where no credential is judged. */
  carriersOfSecrets(headers: readonly Header[]): readonly string[];
}

/** Makes the reader for the places that the configuration lists. */
export function createCredentialReader(sources: readonly CredentialSource[]): CredentialReader {
  const schemes = sources.filter(({ from }) => from === "scheme").map(({ name }) => name);
  const keyHeaders = sources.filter(({ from }) => from === "header").map(({ name }) => name);

  /** The text that a header presents as a key; undefined where the header is not one of ours to judge. */
  const presented = ({ name, value }: Header): string | undefined | "ambiguous" => {
    if (keyHeaders.includes(name)) return value.includes(",") ? "ambiguous" : trim(value);
    if (!value.includes(",")) return keyOfScheme(value, schemes);
    // A foreign scheme may have commas in its parameters; one of ours beside it makes two credentials.
    const ours = value.split(",").some((part) => keyOfScheme(part, schemes) !== undefined);
    return ours ? "ambiguous" : undefined;
  };

  return {
    headers: schemes.length > 0 ? [AUTHORIZATION, ...keyHeaders] : keyHeaders,

    read(headers) {
      let secret: string | undefined;
      const carriers: string[] = [];
      for (const header of headers) {
        const text = presented(header);
        if (text === undefined) continue;
        if (text === "ambiguous" || occurrences(headers, header.name) > 1) return "ambiguous_credential";
        if (secret !== undefined && secret !== text) return "ambiguous_credential";
        secret = text;
        carriers.push(header.name);
      }
      if (secret === undefined) return "no_credential";
      return isSecret(secret) ? { secret, carriers } : "malformed_credential";
    },

    carriersOfSecrets(headers) {
      const carriers = new Set<string>();
      for (const { name, value } of headers) {
        const texts = value.split(",");
        const found = keyHeaders.includes(name)
          ? texts.some((text) => isSecret(trim(text)))
          : texts.some((text) => isSecret(keyOfScheme(text, schemes) ?? ""));
        if (found) carriers.add(name);
      }
      return [...carriers];
    },
  };
}

const AUTHORIZATION = "authorization";

/** What follows a configured scheme, or undefined. The scheme matches in any case (RFC 9110 §11.1). */
function keyOfScheme(credentials: string, schemes: readonly string[]): string | undefined {
  const text = trim(credentials);
  const space = text.indexOf(" ");
  const scheme = space === -1 ? text : text.slice(0, space);
  if (!schemes.some((known) => known.length === scheme.length && known === scheme.toLowerCase())) return undefined;
  return space === -1 ? "" : trim(text.slice(space + 1));
}

function occurrences(headers: readonly Header[], name: string): number {
  let count = 0;
  for (const header of headers) if (header.name === name) count++;
  return count;
}

/** Drops optional white space, spaces and tabs (RFC 9110 §5.6.3), from both ends. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

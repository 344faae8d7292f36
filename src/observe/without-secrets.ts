/** What may be a secret that somebody put into the wrong place, whole or cut: longer than any id but a UUID. */
const LONG_WORD = /[0-9A-Za-z_%-]{40,}|[0-9A-Za-z]{1,32}_[0-9A-Za-z_]{9,}/g;

/**
 * The beginning of a text that a client sent, with an ellipsis for each word that may be a secret. Such words go before
 * the text is cut: half a secret is no word any more that could be told by its length. Twice the length is looked at:
 * more would cost time that a client decides about.
 */
export function withoutSecrets(text: string, maxLength: number): string {
  return text
    .slice(0, 2 * maxLength)
    .replace(LONG_WORD, "…")
    .slice(0, maxLength);
}

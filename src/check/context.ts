/** What one check is told beside the request. */
export interface CheckContext {
  /** Milliseconds since 1970, by which a key's life is judged. */
  readonly nowMs: number;
  /** Names this decision in the answer, in logs and in metadata. Printable ASCII without `"` and `\`. */
  readonly decisionId: string;
}

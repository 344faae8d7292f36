/** The program cannot start for a reason that its operator can mend. The message says what, where, and what to do. */
export class StartError extends Error {
  readonly code = "START";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StartError";
  }
}

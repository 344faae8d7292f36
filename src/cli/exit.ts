export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
/** The words of the call are wrong, or the configuration is. */
export const EXIT_USAGE = 2;
/** `explain`: the request would be denied. */
export const EXIT_DENIED = 3;

/** A mistake in the words of a command that its parser cannot see. */
export class UsageError extends Error {
  readonly code = "USAGE";
}

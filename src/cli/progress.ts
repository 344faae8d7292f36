/** Tells a person how far long work has got, on one line that is written anew. Elsewhere than on a terminal, nothing. */
interface Progress {
  /** `total` is undefined where it is not known. */
  show(done: number, total?: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Back to the beginning of the line, and nothing on it (ECMA-48 EL). */
const CLEAR_LINE = "\r\x1b[K";

/** `what` is being counted: `events verified`. */
export function createProgress(
  what: string,
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
): Progress {
  if (!stream.isTTY) return { show() {}, end() {} };
  return {
    show: (done, total) => {
      const of = total === undefined ? "" : ` of ${total.toLocaleString("en")}`;
      stream.write(`${CLEAR_LINE}${done.toLocaleString("en")}${of} ${what}`);
    },
    end: () => {
      stream.write(CLEAR_LINE);
    },
  };
}

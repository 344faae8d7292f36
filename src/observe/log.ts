import pino, { type Logger } from "pino";
import type { Settings } from "../config/settings.ts";

/** The severities that a log line can have, the least first. */
export type LogLevel = Settings["log"]["level"];

/** Facts of a log line beside its sentence. Never a secret, a credential header or a query. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one log line. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/**
 * How much of the log may wait for a slow reader before lines are dropped: about 10,000 lines. A pipe that nobody empties
 * must cost log lines, not memory, and never a check.
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** The log of a program, which its main thread writes to stderr. */
export interface MainLog {
  readonly log: Log;
  /** Writes lines of this severity and above from now on. */
  setLevel(level: LogLevel): void;
  /** How many lines were dropped because nobody read those before. */
  dropped(): number;
  /** Writes what waits; for the moment before the program ends. */
  flush(): void;
}

/** Opens the log. `auto` is for people on a terminal and JSON lines elsewhere, where what draws lines for people is not loaded. */
export async function openLog({ level, format }: Settings["log"]): Promise<MainLog> {
  const destination = pino.destination({ fd: process.stderr.fd, sync: false, maxLength: MAX_WAITING_BYTES });
  const human = format === "pretty" || (format === "auto" && process.stderr.isTTY);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const colorize = process.stderr.isTTY && !process.env.NO_COLOR;
  const logger: Logger = human
    ? pino(options, (await import("pino-pretty")).default({ destination, colorize, sync: true }))
    : pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, destination);
  let dropped = 0;
  destination.on("drop", () => dropped++);
  return {
    dropped: () => dropped,
    setLevel(level) {
      logger.level = level;
    },
    log: (severity, message, fields = {}) => logger[severity](fields, message),
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Nobody reads the log any more: there is no one to tell.
      }
    },
  };
}

import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** The head of the log (https://sqlite.org/fileformat.html#the_write_ahead_log). */
const HEAD_BYTES = 32;

/**
 * Overwrites every page in the log of a database, so that whoever reads one from there finds it damaged, while what others
 * hold in memory is as it was. What is returned puts the bytes back.
 */
export function damageLog(database: string): () => void {
  const log = openSync(`${database}-wal`, "r+");
  const whole = Buffer.alloc(fstatSync(log).size - HEAD_BYTES);
  readSync(log, whole, 0, whole.length, HEAD_BYTES);
  writeSync(log, Buffer.alloc(whole.length, 0xa5), 0, whole.length, HEAD_BYTES);
  return () => {
    writeSync(log, whole, 0, whole.length, HEAD_BYTES);
    closeSync(log);
  };
}

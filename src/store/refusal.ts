/**
 * Why a database is not opened, and what its operator can do about it. Every sentence follows `database PATH: `.
 * In none of these cases does the program go on as if there were no keys.
 */
const sentences = {
  path_unusable: "the path ends in white space, which SQLite would cut off; choose another path",
  missing: "there is no such file; start the side that serves the admin API first, which creates it",
  cannot_create: "it could not be created; see to it that the directory can be written and has room",
  orphaned_log: "the file is gone but its -wal or -journal is still there; put the file back, or move that one away",
  is_directory: "this is a directory; give the path of a file",
  not_a_file: "this is neither a file nor a link to one; give the path of a file",
  unreadable: "it cannot be read; give it to the user this program runs as (mode 0600)",
  read_only: "the file or its directory cannot be written; give both to the user this program runs as",
  exposed: "others may read it and its mode cannot be changed; set mode 0600 as its owner",
  empty: "the file is empty (0 bytes); restore a backup, or remove it to begin with a new database",
  not_sqlite: "this is not a SQLite database; give another path",
  corrupt: "it is damaged or cut off; restore a backup",
  foreign: "this SQLite database belongs to another program; give another path",
  no_identity: "its identity row is missing, so it is not known to be complete; restore a backup",
  newer_schema: "a newer Keyward has written it; start that version or a later one",
  older_schema:
    "its schema is older than this program; start the side that serves the admin API first, which updates it",
  no_room:
    "its schema is older than this program, and there is no room for the copy that is made before it is updated; free some",
  no_copy: "its schema is older than this program, and the copy that is made before it is updated could not be made",
  has_log: "a log lies beside it, so that it is not a finished backup; make one with `keyward backup`",
  same_file: "this is the database itself; give the path of a backup",
  unreadable_now:
    "it cannot be read, so that keys which were revoked since the backup cannot be kept revoked; --force replaces it all the same",
  other_store:
    "this is another store than the one of the backup, so that nothing can be kept of it; --force replaces it all the same",
  in_use: "a program has it open; stop every Keyward that serves it first",
  removed_index:
    "the index (-shm) of its log was removed while it was open; it is opened anew once every thread of this program has closed it",
  no_wal: "its file system cannot hold a write-ahead log; move it to a local disk",
} as const;

export type RefusalCode = keyof typeof sentences;

/** A file that is not opened as the store. `code` is stable; the message names the file, the case and the way out. */
export class StoreRefusedError extends Error {
  override readonly name = "StoreRefusedError";
  readonly code: RefusalCode;
  readonly path: string;

  /** `detail` is put in parentheses behind the sentence: the values that were met and expected. */
  constructor(code: RefusalCode, path: string, more: { detail?: string; cause?: unknown } = {}) {
    const detail = more.detail === undefined ? "" : ` (${more.detail})`;
    super(`database ${path}: ${sentences[code]}${detail}`, { cause: more.cause });
    this.code = code;
    this.path = path;
  }
}

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Command } from "commander";
import { SystemService } from "../gen/keyward/admin/v1/system_service_pb.ts";
import { copyUnserved } from "../store/online-copy.ts";
import { inspectCopy } from "../store/sound-copy.ts";
import { createPrivate, discard, finish, unfinishedBeside } from "../store/unfinished-file.ts";
import { connectAdmin } from "./admin-connection.ts";
import { addCommonFlags, type CommonFlags } from "./common-flags.ts";
import { EXIT_FAILURE, UsageError } from "./exit.ts";
import { isServed, localSettings } from "./local-database.ts";
import { printFacts } from "./output.ts";
import { createProgress } from "./progress.ts";

interface BackupFlags extends CommonFlags {
  readonly force?: boolean;
}

const NOTES = `
The copy is made while Keyward serves, by the side that serves the admin API: over --admin-url with an admin key that has the
scope system:write, or over the local admin socket. Where nobody serves, the database is read itself. It is one SQLite file
of the state of one moment, which is read through before it gets its name (mode 0600); until then nothing has that name. It
holds what the database holds: digests of keys, never keys, and the audit trail.

Example:
  keyward backup keyward-$(date +%F).db`;

/** `keyward backup FILE`. */
export function backupCommand(): Command {
  const command = new Command("backup")
    .description("copy the database to a file, also while it is served")
    .argument("<file>", "the file to write")
    .option("--force", "replace the file where it is there")
    .addHelpText("after", NOTES);
  return addCommonFlags(command, "the file").action(async (name: string, flags: BackupFlags) => {
    const file = resolve(name);
    if (existsSync(file) && !flags.force) throw new UsageError(`${name} is there; choose another name or give --force`);
    const unfinished = unfinishedBeside(file);
    const progress = createProgress("MiB copied");
    const show = (bytes: number, total: number) => progress.show(inMiB(bytes), inMiB(total));
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        discard(unfinished);
        process.exit(EXIT_FAILURE);
      });
    }
    try {
      createPrivate(unfinished);
      const database = await databaseToRead(flags);
      if (database === undefined) await receive(connectAdmin(flags), unfinished, show);
      else await copyUnserved(database, unfinished, { onProgress: show });
      const { uuid, keys, position, schemaVersion, bytes } = inspectCopy(unfinished);
      finish(unfinished, file);
      progress.end();
      const told = { file, bytes, keys, revision: position.revision, schema_version: schemaVersion, store: uuid };
      printFacts(flags, file, told);
    } finally {
      progress.end();
      discard(unfinished);
    }
  });
}

/** The database, where no program answers for it; undefined where one is to be asked. */
async function databaseToRead(flags: BackupFlags): Promise<string | undefined> {
  if ((flags.adminUrl ?? (process.env.KEYWARD_ADMIN_URL || undefined)) !== undefined) return undefined;
  const settings = localSettings(flags);
  return (await isServed(settings)) ? undefined : settings.database;
}

/** Writes down what the program sends; throws where that is not all of it. */
async function receive(transport: Transport, path: string, show: (bytes: number, total: number) => void) {
  const hash = createHash("sha256");
  const file = await open(path, "r+");
  let [written, sha256] = [0, ""];
  try {
    // A large database takes its time.
    for await (const part of createClient(SystemService, transport).backup({}, { timeoutMs: 0 })) {
      await file.appendFile(part.data);
      hash.update(part.data);
      written += part.data.length;
      show(written || Number(part.copiedBytes), Number(part.totalBytes));
      ({ sha256 } = part);
    }
  } finally {
    await file.close();
  }
  if (sha256 !== hash.digest("hex"))
    throw new ConnectError("the copy was cut off on its way; try again", Code.DataLoss);
}

function inMiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

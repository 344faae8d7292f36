import { Command } from "commander";
import type { CarriedOver } from "../store/carry-over.ts";
import { StoreRefusedError } from "../store/refusal.ts";
import { restore } from "../store/restore.ts";
import { addCommonFlags, type CommonFlags } from "./common-flags.ts";
import { UsageError } from "./exit.ts";
import { isServed, localSettings } from "./local-database.ts";
import { printFacts, tell } from "./output.ts";

interface RestoreFlags extends CommonFlags {
  readonly force?: boolean;
}

/** Whoever can write the database is the administrator, as on the local admin socket. */
const ACTOR = { name: "local", source: "local" };

/** Where nothing was compared. */
const NOTHING: CarriedOver = {
  revoked: [],
  disabled: [],
  shortened: [],
  disabledOwners: [],
  revokedAdminKeys: [],
  lost: 0,
  unknown: [],
};

/** How many are listed on a terminal; -o json lists all. */
const MOST_SHOWN = 20;

const NOTES = `
Works on the database itself, on the machine where it lies, and refuses while a Keyward serves it. The backup is read through
first. What was closed since it was made stays closed: keys that were revoked, disabled, given an earlier end, or purged after
their end; owners that were disabled; admin keys that were revoked; signing keys that were withdrawn. Each is told. Other
changes since the backup, and keys that were made since, are lost. The database that is replaced stays beside the new one, as
DATABASE.replaced-TIME.

--force goes on where nothing can be kept: the database cannot be read, or is not the one that the backup was made of. Keys
that were revoked since the backup open again then.

Example:
  keyward restore keyward-2026-11-21.db`;

/** `keyward restore FILE`. */
export function restoreCommand(): Command {
  const command = new Command("restore")
    .description("put a backup in the place of the database, while nobody serves it")
    .argument("<file>", "what `keyward backup` wrote")
    .option("--force", "also where revocations since the backup cannot be kept")
    .addHelpText("after", NOTES);
  return addCommonFlags(command, "the database").action(async (file: string, flags: RestoreFlags) => {
    if (flags.adminUrl !== undefined) throw new UsageError("restore works on the machine where the database lies");
    const settings = localSettings(flags);
    const { database } = settings;
    if (await isServed(settings)) throw new StoreRefusedError("in_use", database);
    const { force = false } = flags;
    const { backup, aside, carriedOver } = restore(file, database, { force, actor: ACTOR, nowMs: Date.now() });
    const { revoked, disabled, shortened, disabledOwners, revokedAdminKeys, lost, unknown } = carriedOver ?? NOTHING;
    const list = flags.output === "table" ? few : (ids: readonly string[]) => ids;
    printFacts(flags, database, {
      database,
      backup: file,
      keys: backup.keys,
      revision: backup.position.revision,
      replaced: aside,
      compared: carriedOver !== undefined,
      kept_revoked: list(revoked),
      kept_disabled: list(disabled),
      kept_ends: list(shortened),
      kept_disabled_owners: list(disabledOwners),
      kept_revoked_admin_keys: list(revokedAdminKeys),
      lost_keys: lost,
      open_again: list(unknown),
    });
    if (carriedOver === undefined) {
      tell("Nothing was compared: keys that were revoked after the backup was made open again.");
    } else if (unknown.length > 0) {
      tell(
        `${unknown.length} keys of the backup are not in the replaced database, and open. Revoke those that should not.`,
      );
    }
  });
}

function few(ids: readonly string[]): readonly string[] {
  return ids.length <= MOST_SHOWN
    ? ids
    : [...ids.slice(0, MOST_SHOWN), `and ${ids.length - MOST_SHOWN} more (-o json)`];
}

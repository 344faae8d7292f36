import { Command, Option } from "commander";
import { ImportKeysResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { EXIT_FAILURE, UsageError } from "../exit.ts";
import { type Draft, FileProblem, type OwnerType } from "../import/draft.ts";
import { importedKey } from "../import/message.ts";
import { readFile } from "../import/read-file.ts";
import { ImportReport } from "../import/report.ts";
import { createSender, type Sender } from "../import/send.ts";
import type { Refused } from "../import/source.ts";
import { SOURCES } from "../import/sources.ts";
import { facts, printMessage, tell } from "../output.ts";
import { keyClient } from "./show.ts";

interface ImportFlags extends CommonFlags {
  readonly from: string;
  readonly dryRun?: boolean;
  readonly tenant?: string;
  readonly ownerType?: OwnerType | "none";
  readonly ignoreUnsupported?: boolean;
}

/** `keyward keys import`. */
export function importCommand(): Command {
  const command = new Command("import")
    .description("take over keys that were made elsewhere: all of a file, or none")
    .argument("<file>", "what the other system has exported")
    .addOption(new Option("--from <source>", "what it is from").choices(Object.keys(SOURCES)).makeOptionMandatory())
    .option("--dry-run", "only say what would come of it; do this first")
    .option("--tenant <tenant>", "the tenant of keys for which the file names none")
    .addOption(
      new Option(
        "--owner-type <type>",
        "what the users, consumers or clients of the source become as owners; none: metadata (default: as suits the source)",
      ).choices(["user", "service", "project", "none"]),
    )
    .option(
      "--ignore-unsupported",
      "import keys without what Keyward cannot keep of them, such as a number of uses left",
    )
    .addHelpText("after", help());
  return addCommonFlags(command, "how many keys were imported").action(async (file: string, flags: ImportFlags) => {
    const source = SOURCES[flags.from];
    if (source === undefined) throw new UsageError(`--from ${flags.from} is not known`);
    const report = new ImportReport();
    const sender = createSender(keyClient(flags), flags.from, (answer) => report.hear(answer));
    const mapping = { source: flags.from, tenant: flags.tenant, ownerType: flags.ownerType };
    try {
      for await (const record of readFile(file, source)) {
        report.countRead();
        const draft = accepted(record, flags, report);
        if (draft !== undefined) await sender.add(importedKey(draft, mapping));
      }
    } catch (error) {
      report.endProgress();
      await sender.drop();
      report.tellRefused();
      throw error instanceof FileProblem ? new UsageError(`${file} ${error.message}; nothing was imported`) : error;
    }
    await finish(sender, report, flags);
  });
}

/** The key of a record; undefined where there is none to send, which the report knows of. */
function accepted(record: Draft | Refused, flags: ImportFlags, report: ImportReport): Draft | undefined {
  if ("problem" in record) {
    report.refuse(record);
    return undefined;
  }
  const { line, expiresAt, lost = [], short } = record;
  if (expiresAt !== undefined && expiresAt.getTime() <= Date.now()) {
    report.countEnded();
    return undefined;
  }
  if (lost.length > 0 && !flags.ignoreUnsupported) {
    report.refuse({ line, problem: `has ${lost.join(", and ")}; --ignore-unsupported imports it without` });
    return undefined;
  }
  if (short) report.countShort();
  return record;
}

/** Makes the keys, or says why not. */
async function finish(sender: Sender, report: ImportReport, flags: ImportFlags): Promise<void> {
  const isRefused = report.refusedCount > 0;
  const last = await sender.commit(flags.dryRun === true || isRefused);
  report.endProgress();
  const refusedCount = report.refusedCount;
  const answer = report.answer(last);
  if (refusedCount > 0) answer.importedCount = 0;
  const count = `${answer.importedCount}`;
  printMessage(flags, ImportKeysResponseSchema, answer, {
    quiet: count,
    table: facts([
      [flags.dryRun ? "would be imported" : "imported", count],
      ["refused", refusedCount === 0 ? "" : `${refusedCount}`],
    ]),
  });
  report.tellRefused();
  report.tellNotes();
  if (answer.warning !== "") tell(`warning: ${answer.warning}`);
  if (refusedCount > 0) {
    tell("Nothing was imported: the file is imported as a whole, or not at all.");
    process.exitCode = EXIT_FAILURE;
  } else if (flags.dryRun) {
    tell("Nothing was imported: this was a dry run.");
  }
}

function help(): string {
  const sources = Object.entries(SOURCES).map(([name, { reads }]) => `  ${name.padEnd(12)} ${reads}`);
  return `
Files:
${sources.join("\n")}

Callers go on presenting the keys that they have. Hashes are SHA-256 or SHA-512, in hex, base64 or base64url; of keys that
the file holds in the clear, only the SHA-256 is sent. A file that was cut between two lines looks whole: compare the count.

Example:
  keyward keys import keys.csv --from sha256-hex --dry-run
  keyward keys import keys.csv --from sha256-hex`;
}

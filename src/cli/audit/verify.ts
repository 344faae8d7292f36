import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { stringify } from "yaml";
import type { Event, Trail } from "../../gen/keyward/admin/v1/audit_service_pb.ts";
import type { ChainedEvent, ChainPoint } from "../../store/audit-chain.ts";
import { type AuditVerifier, type Break, createAuditVerifier, type TrailEnds } from "../../store/audit-verifier.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { EXIT_FAILURE, UsageError } from "../exit.ts";
import { facts, tell } from "../output.ts";
import { createProgress } from "../progress.ts";
import { auditClient } from "./show.ts";

interface VerifyFlags extends CommonFlags {
  readonly head?: string;
}

/** As many as the API gives at once. */
const PAGE_SIZE = 1_000;

/** What the chain cannot tell by itself, so that nobody takes it for more than it is. */
const LIMITS = `
It recomputes the hash of every event. A row that was changed, removed, moved or cut off at the end is found, before and
after a purge. Whoever can write the database can also write the whole chain anew, from some row to the end: keep the last
line of this command elsewhere, and give it to the next one as --head.`;

/** `keyward audit verify`. */
export function verifyCommand(): Command {
  const command = new Command("verify")
    .description("check that the trail is as it was written, and name the first row that is not")
    .option("--head <number:hash>", "the head that an earlier verification told: it must still be there, the same")
    .addHelpText(
      "after",
      `${LIMITS}\n\nExample:\n  keyward audit verify -q > head && keyward audit verify --head "$(cat head)"`,
    );
  return addCommonFlags(command, "the head, as number:hash").action(async (flags: VerifyFlags) => {
    const kept = flags.head === undefined ? undefined : headOf(flags.head);
    const { verifier, ends, broken } = await followTrail(flags, kept);
    const { start, head } = ends;
    const result = {
      intact: broken === undefined,
      events: verifier.count,
      purged_through: start.seq,
      head: `${head.seq}:${head.hash}`,
      ...(broken !== undefined && { broken_at: broken.seq, problem: broken.problem }),
    };
    print(flags, result);
    if (broken !== undefined) process.exitCode = EXIT_FAILURE;
  });
}

/** Reads the trail from its oldest event to its end, or to the first break. */
async function followTrail(flags: VerifyFlags, kept: ChainPoint | undefined) {
  const client = auditClient(flags);
  const progress = createProgress("events verified");
  let verifier: AuditVerifier | undefined;
  let broken: Break | undefined;
  let isKeptMet = false;
  for (let pageToken = ""; ; ) {
    const page = await client.listEvents({ orderBy: "seq", pageSize: PAGE_SIZE, pageToken });
    const ends = endsOf(page.trail);
    verifier ??= createAuditVerifier(ends.start);
    verifier.skipTo(ends.start);
    for (const event of page.events.map(chainedEventOf)) {
      broken ??= verifier.take(event) ?? differing(event, kept);
      isKeptMet ||= event.seq === kept?.seq;
    }
    progress.show(verifier.count, ends.head.seq - ends.start.seq);
    pageToken = page.nextPageToken;
    if (broken !== undefined || pageToken === "") {
      progress.end();
      broken ??= verifier.finish(ends) ?? (isKeptMet ? undefined : missing(kept, ends.start));
      return { verifier, ends, broken };
    }
  }
}

function differing({ seq, hash }: ChainedEvent, kept: ChainPoint | undefined): Break | undefined {
  if (kept === undefined || seq !== kept.seq || hash === kept.hash) return undefined;
  return { seq, problem: `its hash is not ${kept.hash}, as --head says: it was written anew` };
}

/** What has been purged since cannot be compared any more, but for the last of it. */
function missing(kept: ChainPoint | undefined, start: ChainPoint): Break | undefined {
  if (kept === undefined || kept.seq < start.seq) return undefined;
  if (kept.seq === start.seq && kept.hash === start.hash) return undefined;
  return { seq: kept.seq, problem: "it is not there, though --head says that it was" };
}

/** What `-o json` prints. */
interface Result {
  readonly intact: boolean;
  readonly events: number;
  readonly purged_through: number;
  readonly head: string;
  readonly broken_at?: number;
  readonly problem?: string;
}

function print(flags: VerifyFlags, result: Result): void {
  // Where the head is kept for the next time, nothing must be that a broken trail has told.
  if (flags.quiet && !result.intact) tell(brokenLine(result));
  else if (flags.quiet) process.stdout.write(`${result.head}\n`);
  else if (flags.output === "json") process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else if (flags.output === "yaml") process.stdout.write(stringify(result));
  else if (!result.intact) process.stdout.write(`${brokenLine(result)}\n`);
  else {
    const purged = result.purged_through === 0 ? "" : `rows 1 to ${result.purged_through}`;
    process.stdout.write(
      `${facts([
        ["trail", "intact"],
        ["events", String(result.events)],
        ["purged", purged],
        ["head", result.head],
      ])}\n`,
    );
  }
}

function brokenLine({ broken_at, problem }: Result): string {
  return `broken at row ${broken_at}: ${problem}`;
}

function headOf(text: string): ChainPoint {
  const [, seq, hash = ""] = /^\s*(\d{1,15}):([0-9a-f]{64})\s*$/.exec(text) ?? [];
  if (seq === undefined) throw new UsageError("--head must be what `keyward audit verify -q` printed: NUMBER:HASH");
  return { seq: Number(seq), hash };
}

function endsOf(trail: Trail | undefined): TrailEnds {
  if (trail === undefined) {
    throw new UsageError(
      "this admin key sees the events of one tenant only, and the chain binds those of all; use another",
    );
  }
  const { startSeq, startHash, headSeq, headHash, revision } = trail;
  return {
    start: { seq: Number(startSeq), hash: startHash },
    head: { seq: Number(headSeq), hash: headHash },
    revision: Number(revision),
  };
}

function chainedEventOf(event: Event): ChainedEvent {
  const { seq, revision, at, actor, source, action, target, detail, previousHash, hash } = event;
  return {
    seq: Number(seq),
    revision: Number(revision),
    atMs: at === undefined ? Number.NaN : timestampMs(at),
    ...{ actor, source, action, target, detail, previousHash, hash },
  };
}

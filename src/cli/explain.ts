import { Command } from "commander";
import { shown } from "../admin/explain/wording.ts";
import { GetDecisionResponseSchema } from "../gen/keyward/admin/v1/decision_pb.ts";
import {
  type CheckStep,
  CheckStepState,
  type ExplainCheckResponse,
  ExplainCheckResponseSchema,
} from "../gen/keyward/admin/v1/explain_check_pb.ts";
import { holdsSecret } from "../key/secret.ts";
import { addCommonFlags, type CommonFlags } from "./common-flags.ts";
import { EXIT_DENIED, UsageError } from "./exit.ts";
import { keyClient, NAMES } from "./keys/show.ts";
import { columns, facts, printMessage, tell } from "./output.ts";
import { readSecret } from "./secret-input.ts";
import { pairs, repeated, shownTime, time } from "./values.ts";

interface ExplainFlags extends CommonFlags {
  readonly key?: string;
  readonly keyId?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly ip?: string;
  readonly at?: string;
  readonly extension?: string[];
  readonly header?: string[];
  readonly decision?: string;
}

/** `keyward explain`. Exit code 3 where the request would be denied. */
export function explainCommand(): Command {
  const command = new Command("explain")
    .description("tell step by step what would come of a request, and why; nothing is counted or changed")
    .option("--key <from>", "the key that is presented: - reads it from stdin, @FILE from a file")
    .option("--key-id <key>", `or the key that would be: ${NAMES.replace(", or the key itself", "")}`)
    .option("--method <method>", "the method of the request (default: GET)")
    .option("--path <path>", "the path of the request")
    .option("--host <host>", "the host of the request, for routes that name one")
    .option("--ip <address>", "the client's address, for keys that are bound to networks")
    .option("--at <time>", "judge the key's life at this time, such as 2026-12-31T23:59:59Z (default: now)")
    .option("--extension <name=value>", "an entry of context_extensions of Envoy's route; repeat for several", repeated)
    .option("--header <name:value>", "a header of the request, such as x-forwarded-for; repeat for several", repeated)
    .option("--decision <id>", "show a denial of late instead: the x-keyward-decision-id that its client got")
    .addHelpText(
      "after",
      `
Without --key and --key-id, no key is presented. Exit codes: 0 allowed, 3 denied (a denial that is shown is one).

Examples:
  keyward explain --key-id kw_4fGh12Kq --method POST --path /api/v1/deploy
  keyward explain --key @key-file --path /api/v1/orders --ip 203.0.113.7 --at 2026-12-31T23:59:59Z
  keyward explain --decision 0f0e8c5e-6d0e-4a55-9a53-8a2f7d0b6a11`,
    );
  return addCommonFlags(command, "the reason").action(async (flags: ExplainFlags) => {
    if (flags.decision !== undefined) return showDecision(flags.decision, flags);
    const { path } = flags;
    if (path === undefined) throw new UsageError("--path is needed: the path of the request");
    const answer = await keyClient(flags).explainCheck({
      ...(await keyOf(flags)),
      method: flags.method ?? "GET",
      path,
      host: flags.host ?? "",
      ip: flags.ip ?? "",
      ...(flags.at === undefined ? {} : { at: time("--at", flags.at) }),
      contextExtensions: pairs("--extension", flags.extension ?? []),
      headers: headersOf(flags.header ?? []),
    });
    const table = `${stepTable(answer.steps)}\n\n${verdict(answer)}`;
    printMessage(flags, ExplainCheckResponseSchema, answer, { quiet: answer.reason, table });
    if (!flags.quiet) for (const note of answer.notes) tell(`note: ${note}`);
    if (!answer.allowed) process.exitCode = EXIT_DENIED;
  });
}

/** What a request is described by: a decision has its own. */
const DESCRIBING = ["key", "keyId", "method", "path", "host", "ip", "at", "extension", "header"] as const;

async function showDecision(decisionId: string, flags: ExplainFlags): Promise<void> {
  const beside = DESCRIBING.find((flag) => flags[flag] !== undefined);
  if (beside !== undefined) {
    throw new UsageError(`--decision names a request by itself; leave out --${beside === "keyId" ? "key-id" : beside}`);
  }
  const answer = await keyClient(flags).getDecision({ decisionId });
  const { decision } = answer;
  const table = facts([
    ["decision", decisionId],
    ["denied", `${decision?.reason} (HTTP ${decision?.httpStatus}): ${decision?.description}`],
    ["time", shownTime(decision?.at)],
    ["key", decision?.keyId ?? ""],
    ["method", visible(decision?.method)],
    ["path", visible(decision?.path)],
    ["host", visible(decision?.host)],
    ["route", visible(decision?.route)],
    ["client address", visible(decision?.clientAddress)],
  ]);
  printMessage(flags, GetDecisionResponseSchema, answer, { quiet: decision?.reason ?? "", table });
  process.exitCode = EXIT_DENIED;
}

/** Reads `name:value` headers. A key would stand in the list of processes, and is told by --key. */
function headersOf(texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text): [string, string] => {
    if (holdsSecret(text)) throw new UsageError("--header must not hold a key; give that as --key - or --key @FILE");
    const colon = text.indexOf(":");
    if (colon < 1) throw new UsageError(`--header ${text} must be NAME:VALUE`);
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
  });
  return Object.fromEntries(entries);
}

/** What a client sent may hold anything; what nobody sent is left out. */
function visible(text = ""): string {
  return text === "" ? "" : shown(text);
}

async function keyOf({ key, keyId }: ExplainFlags): Promise<{ key: string; presented: boolean }> {
  if (key !== undefined && keyId !== undefined) throw new UsageError("--key and --key-id name a key each; give one");
  if (key !== undefined) return { key: await readSecret("--key", key), presented: true };
  if (keyId === "") throw new UsageError("--key-id must not be empty; leave it out where no key is presented");
  if (keyId !== undefined && holdsSecret(keyId)) {
    throw new UsageError("--key-id names a key and must not be the key itself; give that as --key - or --key @FILE");
  }
  return { key: keyId ?? "", presented: false };
}

const RESULTS: Readonly<Record<CheckStepState, string>> = {
  [CheckStepState.UNSPECIFIED]: "",
  [CheckStepState.PASSED]: "ok",
  [CheckStepState.FAILED]: "no",
  [CheckStepState.NOT_REACHED]: "-",
};

/** The steps of a check. The one that decides has an arrow before it. */
function stepTable(steps: readonly CheckStep[]): string {
  const deciding = steps.find(({ state }) => state === CheckStepState.FAILED);
  const rows = steps.map((step): string[] => {
    const { name, state, required, present } = step;
    const result = RESULTS[state] ?? "";
    return [step === deciding ? "->" : "", result, name, required, present];
  });
  return columns(["", "", "STEP", "REQUIRED", "PRESENT"], rows);
}

function verdict({ allowed, reason, httpStatus, steps, changes }: ExplainCheckResponse): string {
  if (allowed) return reason === "public" ? "allowed: the route is public" : "allowed";
  const failed = steps.filter(({ state }) => state === CheckStepState.FAILED);
  return [
    `denied: ${reason} (HTTP ${httpStatus})`,
    ...failed.map(({ sentence }) => `  ${sentence}`),
    "what would change it:",
    ...changes.map((change) => `  ${change}`),
  ].join("\n");
}

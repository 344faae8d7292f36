/**
 * `npm run fuzz`: requests and what befalls them on the wire. What the reader of CheckRequests reads is held against
 * protobuf-es, and what is let through, over gRPC and over HTTP, against a judge that shares no code with Keyward.
 */
import { CAMPAIGN_FLAGS, campaignOf, flagsOf } from "../support/campaign.ts";
import { TARGETS } from "./targets.ts";

/** For each target: some seconds of a core. */
const USUAL_COUNT = 20_000;

const flags = flagsOf({ ...CAMPAIGN_FLAGS, only: { type: "string" } });
const names = [...TARGETS.keys()].filter((name) => flags.only === undefined || name === flags.only);
if (names.length === 0) {
  process.stderr.write(`--only ${flags.only} must be one of ${[...TARGETS.keys()].join(", ")}\n`);
  process.exit(2);
}
const campaign = campaignOf("fuzz", flags, USUAL_COUNT);
const share = (campaign.untilMs - Date.now()) / names.length;

for (const name of names) {
  try {
    const said = TARGETS.get(name)?.({ ...campaign, untilMs: Date.now() + share });
    process.stdout.write(`${name}: ${said}\n`);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

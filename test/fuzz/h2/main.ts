/**
 * `npm run fuzz:h2`: sessions of real clients and what befalls their frames, against a server of `src/h2` that must not
 * die, err, grow or keep a good client waiting.
 */
import { CAMPAIGN_FLAGS, campaignOf, flagsOf } from "../../support/campaign.ts";
import { tryConnections } from "./attempt.ts";

/** Rounds: about a minute of a core. */
const USUAL_COUNT = 3_000;

const campaign = campaignOf("fuzz:h2", flagsOf(CAMPAIGN_FLAGS), USUAL_COUNT);
try {
  process.stdout.write(`${await tryConnections(campaign)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  // When time for a smaller case has run out, the last one may still be tried.
  process.exit(1);
}

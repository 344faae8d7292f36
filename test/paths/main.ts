/**
 * `npm run paths`: whatever path is allowed, no way of reading it leads out of what it was allowed for. Paths are drawn
 * near those that are allowed, in worlds of routes and keys that are drawn as well; `--envoy` sends them through a real
 * Envoy, bare and as shipped, and judges what the upstream got.
 */
import { CAMPAIGN_FLAGS, campaignOf, flagsOf, tryOut } from "../support/campaign.ts";
import { pathCases } from "./cases.ts";
import { tryThroughEnvoy } from "./through-envoy.ts";
import { createVerdicts } from "./verdicts.ts";

/** Worlds, with about a million paths: some minutes of a core. */
const USUAL_COUNT = 80_000;
/** Half a minute of two cores. */
const USUAL_ENVOY_COUNT = 20_000;
/** Fewer would mean that the generator is off the mark. */
const LEAST_ALLOWED = 0.1;

const flags = flagsOf({ ...CAMPAIGN_FLAGS, envoy: { type: "boolean" }, only: { type: "string" } });
const campaign = campaignOf("paths", flags, flags.envoy ? USUAL_ENVOY_COUNT : USUAL_COUNT);
try {
  if (flags.envoy) await tryThroughEnvoy(campaign);
  else tryInProcess();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function tryInProcess(): void {
  let paths = 0;
  let allowed = 0;
  const { seconds } = tryOut(
    "paths",
    pathCases,
    ({ world, targets }) => {
      const verdicts = createVerdicts(world);
      for (const target of targets) {
        const decision = verdicts.decide(target);
        paths++;
        if (!decision.allowed) continue;
        allowed++;
        const found = verdicts.escapeOf(target, decision.record !== undefined);
        if (found !== undefined) throw new Error(`${JSON.stringify(target)} is allowed: ${found}`);
      }
    },
    campaign,
  );
  process.stdout.write(`${paths} paths, ${allowed} of them allowed, 0 escapes, in ${seconds.toFixed(1)} s\n`);
  if (allowed < paths * LEAST_ALLOWED) throw new Error("too few are allowed to say anything: mend the generator");
}

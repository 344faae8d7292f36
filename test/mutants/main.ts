/**
 * `npm run mutants`: breaks the source on purpose, one line at a time in a copy of the tree, and runs the tests that must
 * notice. A mutant that no test notices is a promise that nothing guards: it needs a row.
 */
import { cpus } from "node:os";
import fc from "fast-check";
import { CAMPAIGN_FLAGS, campaignOf, flagsOf } from "../support/campaign.ts";
import { MUTANTS, type Mutant, type MutantsOfFile } from "./list.ts";
import { createWorkshop, type Workshop } from "./workshop.ts";

interface Job extends Mutant, Pick<MutantsOfFile, "file" | "tests"> {}

const flags = flagsOf({ ...CAMPAIGN_FLAGS, only: { type: "string" } });
const groups = MUTANTS.filter(({ file }) => flags.only === undefined || file.includes(flags.only));
const jobs = groups.flatMap(({ file, tests, mutants }) => mutants.map((mutant): Job => ({ file, tests, ...mutant })));
const campaign = campaignOf("mutants", flags, jobs.length);
const inAnyOrder = fc.shuffledSubarray(jobs, { minLength: jobs.length });
const drawn = fc.sample(inAnyOrder, { seed: campaign.seed, numRuns: 1 }).flat().slice(0, campaign.count);
const started = Date.now();
const allowedMs = campaign.untilMs - started;
const workshops = cpus().map(createWorkshop);
try {
  const sound = await Promise.all(workshops.map((workshop, at) => workshop.run(testsOf(groups, at))));
  const failed = sound.filter(({ passed }) => !passed).map(({ output }) => output);
  if (failed.length > 0) throw new Error(`the tests fail without any mutant:\n${failed.join("\n")}`);
  // The time is that of the mutants: without them, the tests may take as long.
  const untilMs = Date.now() + allowedMs;
  const waiting = drawn.values();
  const survivors: string[] = [];
  let tried = 0;
  const work = async (workshop: Workshop) => {
    for (const job of waiting) {
      if (Date.now() > untilMs) return;
      tried++;
      if (await isNoticed(job, workshop)) continue;
      survivors.push(job.file);
      process.stdout.write(`survived in ${job.file}: ${told(job)}\n`);
    }
  };
  await Promise.all(workshops.map(work));
  const seconds = ((Date.now() - started) / 1_000).toFixed(0);
  process.stdout.write(`${jobs.length} mutants, ${tried} tried, ${tried - survivors.length} killed, in ${seconds} s\n`);
  if (survivors.length > 0 || tried === 0) process.exitCode = 1;
} finally {
  for (const workshop of workshops) workshop.close();
}

/** Each test that some mutant needs, shared out among the workshops. */
function testsOf(some: readonly MutantsOfFile[], at: number): readonly string[] {
  return [...new Set(some.flatMap(({ tests }) => tests))].filter((_, index) => index % workshops.length === at);
}

async function isNoticed(job: Job, workshop: Workshop): Promise<boolean> {
  const restore = workshop.replace(job.file, job);
  try {
    return !(await workshop.run(job.tests)).passed;
  } finally {
    restore();
  }
}

function told({ text, instead }: Mutant): string {
  return `${JSON.stringify(text)} as ${JSON.stringify(instead)}`;
}

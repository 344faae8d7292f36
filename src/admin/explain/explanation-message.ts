import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StepState } from "../../check/explain.ts";
import { REASONS } from "../../check/reason.ts";
import { sentenceOf } from "../../check/sentence.ts";
import { CheckStepState, type ExplainCheckResponseSchema } from "../../gen/keyward/admin/v1/explain_check_pb.ts";
import { STEP_WORDS, type StepFacts } from "./step-words.ts";

/** An explanation as the API tells it, but for what is told of the key beside it. */
export function explanationMessage(facts: StepFacts) {
  const { decision, steps } = facts.explanation;
  const told = steps.map(({ name, state }) => ({ name, state, words: STEP_WORDS[name](facts) }));
  return {
    allowed: decision.allowed,
    reason: decision.reason,
    httpStatus: decision.allowed ? 200 : REASONS[decision.reason].status,
    description: decision.allowed ? "" : sentenceOf({ ...decision, flaw: facts.flaw }),
    steps: told.map(({ name, state, words }) => ({
      name,
      state: STATES[state],
      ...(state === "not reached"
        ? { sentence: "Not judged: an earlier step has decided." }
        : { required: words.required, present: words.present, sentence: words[state] }),
    })),
    changes: told.flatMap(({ state, words }) => (state === "failed" ? [words.change] : [])),
    route: decision.rule?.route ?? "",
  } satisfies MessageInitShape<typeof ExplainCheckResponseSchema>;
}

const STATES: Readonly<Record<StepState, CheckStepState>> = {
  passed: CheckStepState.PASSED,
  failed: CheckStepState.FAILED,
  "not reached": CheckStepState.NOT_REACHED,
};

import type { Judging } from "../../src/check/decide.ts";
import type { PolicyConfig } from "../../src/policy/config.ts";
import { compilePolicy, type Policy } from "../../src/policy/policy.ts";
import { plainRule, type Rule } from "../../src/policy/rule.ts";
import { ratesAt } from "./rates.ts";

/** The policy of a configuration that must be sound. */
export function policyOf(
  routes: PolicyConfig["routes"],
  defaultAccess?: PolicyConfig["defaultAccess"],
  scopes?: PolicyConfig["scopes"],
): Policy {
  const compiled = compilePolicy({ routes, defaultAccess, scopes });
  if ("problems" in compiled) throw new Error(JSON.stringify(compiled));
  return compiled.policy;
}

/** A rule that asks for any valid key, but for what the test says of it. */
export function ruleOf(more: Partial<Rule> = {}): Rule {
  return { ...plainRule("authenticated", "/**"), ...more };
}

/** What judging knows where nothing is configured. */
export const judging: Judging = { scopes: policyOf([]).scopes, rates: ratesAt(() => 0n) };

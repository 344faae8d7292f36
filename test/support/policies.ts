import type { PolicyConfig } from "../../src/policy/config.ts";
import { compilePolicy, type Policy } from "../../src/policy/policy.ts";

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

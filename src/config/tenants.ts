import { isAmong, isScope } from "../key/scope.ts";
import { isPrefix, PREFIX_FORM } from "../key/secret.ts";
import { isTenant, TENANT_FORM } from "../key/tenant.ts";
import { nearest } from "./nearest.ts";
import { show } from "./reading.ts";

/** What is said of one tenant, as it is written in the configuration. */
export interface TenantConfig {
  /** What an admin key that is bound to the tenant may give to the tenant's keys and owners. Unset: nothing. */
  readonly grantable_scopes?: readonly string[] | undefined;
  /** What the secrets of its new keys begin with. Unset: what those of other keys do. */
  readonly prefix?: string | undefined;
}

/** Something that is wrong with a tenant. `at` is its place below `tenants`. */
interface TenantProblem {
  readonly at: readonly PropertyKey[];
  /** Follows the name of the place. */
  readonly message: string;
}

/** Lists what is wrong with the tenants. `definedScopes` is empty where any scope will do. */
export function tenantProblems(
  tenants: Readonly<Record<string, TenantConfig>>,
  definedScopes: readonly string[],
): TenantProblem[] {
  return Object.entries(tenants).flatMap(([tenant, { grantable_scopes = [], prefix }]) => {
    const problems: TenantProblem[] = [];
    if (!isTenant(tenant)) problems.push({ at: [tenant], message: `must be named with ${TENANT_FORM}` });
    if (prefix !== undefined && !isPrefix(prefix)) {
      problems.push({ at: [tenant, "prefix"], message: `${show(prefix)} must be ${PREFIX_FORM}` });
    }
    for (const [index, scope] of grantable_scopes.entries()) {
      const problem = scopeProblem(scope, definedScopes);
      if (problem !== undefined) {
        problems.push({ at: [tenant, "grantable_scopes", index], message: `${show(scope)} ${problem}` });
      }
    }
    return problems;
  });
}

function scopeProblem(scope: string, definedScopes: readonly string[]): string | undefined {
  if (!isScope(scope)) return 'must be a scope, with "*" only as the whole last segment';
  if (isAmong(scope, definedScopes)) return undefined;
  const near = nearest(scope, definedScopes);
  return `is not among the scopes${near === undefined ? "" : ` (did you mean ${show(near)}?)`}`;
}

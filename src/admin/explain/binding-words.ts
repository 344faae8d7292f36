import { ANY_TENANT, type Belonging, type Binding } from "../../policy/binding.ts";
import type { StoredKey } from "../../store/key-row.ts";
import type { StepFacts, StepWords } from "./step-words.ts";
import { shown } from "./wording.ts";

/** What there is to say of whose keys a route lets in. A caller who is bound to a tenant is not told the name of another. */
export function bindingWords(whose: Belonging, key: StoredKey, facts: StepFacts): StepWords {
  const asked = askedFor(whose, facts);
  const own = ownOf(whose, key);
  return {
    required: asked ?? `any ${whose}`,
    present: own ?? `no ${whose}`,
    passed: asked === undefined ? `The route lets keys of any ${whose} in.` : `The key belongs to ${asked}.`,
    failed: `The route lets keys of ${asked} in, and this key ${own === undefined ? "has none" : `belongs to ${own}`}.`,
    change: `use a key of ${asked}: to whom a key belongs cannot be changed`,
  };
}

/** Whose keys the route lets in; undefined: anybody's. */
function askedFor(whose: Belonging, { explanation: { decision, place }, callerTenant }: StepFacts): string | undefined {
  const { rule } = decision;
  const binding = rule?.[whose];
  if (binding === undefined || binding.literal === ANY_TENANT) return undefined;
  const name = `the ${whose} ${shown(wantedBy(binding, place?.path ?? ""))}`;
  if (whose === "owner") return rule?.tenant === undefined ? `${name} that has no tenant` : name;
  const isTold = callerTenant === undefined || callerTenant === binding.literal || binding.segment !== undefined;
  return isTold ? name : "another tenant";
}

/** To whom the key belongs. An owner is one of its tenant. */
function ownOf(whose: Belonging, { owner, tenant }: StoredKey): string | undefined {
  if (whose === "tenant") return tenant && `the tenant ${tenant}`;
  return owner && `the owner ${owner}${tenant === undefined ? "" : ` in the tenant ${tenant}`}`;
}

/** The tenant or owner that a path must have. */
function wantedBy({ literal, segment }: Binding, path: string): string {
  return segment === undefined ? literal : literal + (path.split("/")[segment + 1] ?? "");
}

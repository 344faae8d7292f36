import type { ScopeGraph } from "../../policy/scope-graph.ts";
import type { StoredKey } from "../../store/key-row.ts";
import { command } from "./wording.ts";

/** What would make a key grant scopes that it does not: a change of the key, of its owner's list, or of both. */
export function changeOfScopes(
  key: StoredKey,
  missing: readonly string[],
  match: "any" | "all",
  graph: Pick<ScopeGraph, "grants">,
): string {
  const [first = ""] = missing;
  // One of them is enough: the first, as the route names them.
  const wanted = match === "all" ? missing : [first];
  const which =
    missing.length > 1 && match === "any" ? `one of ${missing.join(", ")}, such as ${first}` : wanted.join(", ");
  const ofKey = key.inheritsScopes ? [] : beyond(key.scopes, wanted, graph);
  const limit = key.inheritsScopes ? (key.ownerLimits?.scopes ?? []) : key.ownerLimits?.scopes;
  const ofOwner = limit === undefined ? [] : beyond(limit, wanted, graph);
  const steps: string[] = [];
  if (ofKey.length > 0) steps.push(command("keys update", key.id, "--scopes", [...key.scopes, ...ofKey].join(",")));
  if (ofOwner.length > 0) {
    const tenant = key.tenant === undefined ? [] : ["--tenant", key.tenant];
    const scopes = [...(limit ?? []), ...ofOwner].join(",");
    steps.push(command("owners update", key.owner ?? "", ...tenant, "--scopes", scopes));
  }
  const noun = wanted.length === 1 && missing.length === 1 ? "the scope" : match === "all" ? "the scopes" : "";
  return `add ${[noun, which].filter(Boolean).join(" ")}: ${steps.join(" and ")}`;
}

function beyond(
  scopes: readonly string[],
  wanted: readonly string[],
  { grants }: Pick<ScopeGraph, "grants">,
): string[] {
  return wanted.filter((scope) => !grants(scopes, scope));
}

import type { PolicyConfig } from "../../policy/config.ts";

/** Where a check counts that no route of the configuration has decided. */
const FIXED = ["none", "other", "default_access", "context_extensions"] as const;

/** As many routes are counted by their own name: enough to read, and few enough for Prometheus. */
const MAX_NAMED = 100;

/** How many slots there are. */
export const ROUTE_SLOTS = FIXED.length + MAX_NAMED;

/**
 * The names of the slots in which checks are counted by route: the fixed ones, those that `before` has, then the paths of
 * routes that are new. A slot that has a name keeps it for as long as the program runs, so that a reload moves no count.
 */
export function routeNames(
  { routes }: Pick<PolicyConfig, "routes">,
  before: readonly string[] = FIXED,
): readonly string[] {
  const names = new Set(before);
  for (const { path } of routes) if (names.size < ROUTE_SLOTS) names.add(path);
  return [...names];
}

/** The slot of a route by its name (`Rule.route`), or of a check for which none was found. */
export function createRouteSlots(names: readonly string[]): (route: string | undefined) => number {
  const slots = new Map(names.map((name, slot) => [name, slot]));
  return (route) => (route === undefined ? SLOT_OF_NONE : (slots.get(route) ?? SLOT_OF_OTHER));
}

const SLOT_OF_NONE = FIXED.indexOf("none");
const SLOT_OF_OTHER = FIXED.indexOf("other");

import type { MetricCells } from "./metrics/cells.ts";
import { LOSSES, OUTCOMES, type Outcome, outcomeLabels } from "./metrics/checks.ts";
import { createRouteSlots } from "./metrics/route-slots.ts";
import { CACHES } from "./metrics/store.ts";

/** Counts of the caches since they were made. */
interface CacheCounts {
  readonly hits: number;
  readonly unknownHits: number;
  readonly misses: number;
  /** By cache. */
  readonly evictions: Readonly<Record<(typeof CACHES)[number], number>>;
}

/** What the caches hold. */
interface CacheSizes {
  readonly known: number;
  readonly unknown: number;
  /** Estimated, of the known keys. */
  readonly bytes: number;
}

/** Counts what one check thread does: a check costs some additions in its own cells. */
export interface CheckCounters {
  /** `route` is that of the rule, if there was one. */
  countOutcome(outcome: Outcome, route: string | undefined): void;
  /** Counts by the routes of other names from now on. Those that there were before have to be the same: a name is added. */
  nameRoutes(routes: readonly string[]): void;
  countDuration(milliseconds: number): void;
  countLookUp(milliseconds: number): void;
  /** Adds what the caches have counted since the last call. */
  countCache(counts: CacheCounts): void;
  tellSizes(sizes: CacheSizes): void;
  countLost(what: (typeof LOSSES)[number] | "allowed_line"): void;
}

/** Makes the counters of one check thread. `routes` are the names of the slots in which it counts by route. */
export function createCheckCounters(cells: MetricCells, routes: readonly string[]): CheckCounters {
  const outcomes = new Map(OUTCOMES.map((name) => [name, cells.at("keyward_checks_total", outcomeLabels(name))]));
  let slotOf = createRouteSlots(routes);
  const cellsOfSlot = (slot: number) => {
    const cellOf = (name: Outcome) =>
      cells.at("keyward_route_checks_total", { route: String(slot), ...outcomeLabels(name) });
    return new Map(OUTCOMES.map((name) => [name, cellOf(name)]));
  };
  const byRoute = routes.map((_, slot) => cellsOfSlot(slot));
  const durations = cells.histogram("keyward_check_duration_seconds");
  const lookUps = cells.histogram("keyward_store_lookup_duration_seconds");
  const lost = new Map(LOSSES.map((what) => [what, cells.at("keyward_usage_uncounted_total", { what })]));
  const lostLines = cells.at("keyward_log_dropped_lines_total", { where: "check_thread" });
  const entries = CACHES.map((cache) => [cache, cells.at("keyward_cache_entries", { cache })] as const);
  const bytes = cells.at("keyward_cache_bytes");

  const growing = (name: "keyward_cache_lookups_total" | "keyward_cache_evictions_total", labels: object) => {
    const cell = cells.at(name, labels as Readonly<Record<string, string>>);
    let seen = 0;
    return (count: number) => {
      // A cache that was made anew counts from 0.
      if (count !== seen) cell.add(count < seen ? count : count - seen);
      seen = count;
    };
  };
  const hit = growing("keyward_cache_lookups_total", { result: "hit" });
  const unknownHit = growing("keyward_cache_lookups_total", { result: "unknown_hit" });
  const miss = growing("keyward_cache_lookups_total", { result: "miss" });
  const evictedKnown = growing("keyward_cache_evictions_total", { cache: "known" });
  const evictedUnknown = growing("keyward_cache_evictions_total", { cache: "unknown" });

  return {
    countOutcome(outcome, route) {
      outcomes.get(outcome)?.add();
      byRoute[slotOf(route)]?.get(outcome)?.add();
    },
    nameRoutes(routes) {
      for (let slot = byRoute.length; slot < routes.length; slot++) byRoute.push(cellsOfSlot(slot));
      slotOf = createRouteSlots(routes);
    },
    countDuration: (milliseconds) => durations.observe(milliseconds / 1000),
    countLookUp: (milliseconds) => lookUps.observe(milliseconds / 1000),
    countCache({ hits, unknownHits, misses, evictions }) {
      hit(hits);
      unknownHit(unknownHits);
      miss(misses);
      evictedKnown(evictions.known);
      evictedUnknown(evictions.unknown);
    },
    tellSizes(sizes) {
      for (const [cache, cell] of entries) cell.set(sizes[cache]);
      bytes.set(sizes.bytes);
    },
    countLost: (what) => (what === "allowed_line" ? lostLines : lost.get(what))?.add(),
  };
}

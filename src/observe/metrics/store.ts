import { type MetricTable, seriesOf } from "./metric.ts";

/** The two caches of a check thread. */
export const CACHES = ["known", "unknown"] as const;

/** What is told of the database and of the caches before it. */
export const STORE_METRICS = {
  keyward_cache_lookups_total: {
    kind: "counter",
    help: "Look-ups of keys, by what answered: the cache of known keys (hit), that of unknown ones (unknown_hit), or SQLite (miss).",
    series: seriesOf("result", ["hit", "unknown_hit", "miss"]),
  },
  keyward_cache_evictions_total: {
    kind: "counter",
    help: "Entries that made room for others: many of known keys mean that cache.max_keys is below the number of keys in use.",
    series: seriesOf("cache", CACHES),
  },
  keyward_cache_entries: {
    kind: "gauge",
    help: "Entries in the caches of a check thread: known keys, and digests that no key has.",
    series: seriesOf("cache", CACHES),
    perThread: true,
  },
  keyward_cache_bytes: {
    kind: "gauge",
    help: "Estimated memory of the known keys in the cache of a check thread.",
    perThread: true,
  },
  keyward_store_lookup_duration_seconds: {
    kind: "histogram",
    help: "Time of a look-up in SQLite, made where no cache could answer.",
    bounds: [0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.2],
  },
  keyward_applied_revision: {
    kind: "gauge",
    help: "The revision of the store up to which a check thread obeys every change; absent while it has not opened the store.",
    perThread: true,
  },
  keyward_store_stale_seconds: {
    kind: "gauge",
    help: "For how long a check thread has not been able to tell whether what it knows of keys is up to date; 0: it is.",
    perThread: true,
  },
  keyward_database_unread_seconds: {
    kind: "gauge",
    help: "For how long a large database has been served that has not been read through yet; 0: it was read through and is whole. For minutes: the log says why.",
  },
  keyward_store_revision: {
    kind: "gauge",
    help: "The last revision of the store, as the writer thread sees it. The lag of a check thread is this less its keyward_applied_revision.",
  },
  keyward_change_enforcement_seconds: {
    kind: "histogram",
    help: "Time from the commit of a change, such as a revocation, to the moment when every check thread of this process obeys it. Above 1 s the admin call is answered with enforced: false.",
    bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1],
  },
  keyward_database_bytes: {
    kind: "gauge",
    help: "Size of the database file (main) and of the log beside it (wal).",
    series: seriesOf("file", ["main", "wal"]),
  },
  keyward_database_disk_free_bytes: {
    kind: "gauge",
    help: "What the file system of the database has left for it.",
  },
} as const satisfies MetricTable;

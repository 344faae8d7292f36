import { randomBytes } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { createCheck } from "../../src/check/check.ts";
import { createRateLimiter } from "../../src/check/rate-limit.ts";
import { CheckRequestSchema, CheckResponseSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { KeyStore } from "../../src/key/record.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { createCheckCounters } from "../../src/observe/check-counters.ts";
import { createMetricMemory, MetricCells } from "../../src/observe/metrics/cells.ts";
import { createKeyCache, NO_COUNTS } from "../../src/store/cache.ts";
import { secretDigest } from "../../src/store/digest.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { createUsageTally } from "../../src/usage/tally.ts";
import { policyOf } from "../support/policies.ts";
import { portsOf } from "../support/sample-check.ts";
import { checkParts } from "./check-parts.ts";
import type { KeyFile } from "./key-files.ts";
import type { Size } from "./options.ts";
import { CLOSED_PATH, checkRequest, ROUTES } from "./request.ts";
import type { Contestant, Figures } from "./rounds.ts";

/** Rows that do not depend on how many keys there are. */
export const METRICS_ROW = ["metrics of one check", ""] as const;
const DECODE_ROW = ["protobuf-es decodes the request", ""] as const;

/** How much is kept: as in a check thread, and so little that each look-up reads SQLite. */
const ROOMY = { maxKeys: 100_000, maxUnknown: 10_000 };
const TINY = { maxKeys: 1, maxUnknown: 1 };

/** `check(bytes)` in this process, without a socket, over databases of different sizes. `stops` closes them. */
export function checkContestants(files: readonly KeyFile[], size: Size, stops: (() => void)[]): Contestant[] {
  const askOf = createAsking();
  const ofFiles = files.flatMap((file) => {
    const reader = openKeyReader(file.path);
    stops.push(reader.close);
    const cached = createKeyCache(reader, ROOMY);
    const uncached = createKeyCache(reader, TINY);
    const good = file.secrets.map((secret) => checkRequest(secret));
    const [first = ""] = file.secrets;
    const asked = [
      ["hit", cached, "allowed", good],
      ["miss", uncached, "allowed", good],
      ["unknown key", cached, "unknown_key", [checkRequest(writeSecret("kw", randomBytes(32)))]],
      ["malformed key", cached, "malformed_credential", [checkRequest(`${first.slice(0, -1)}!`)]],
      ["denied scope", cached, "insufficient_scope", [checkRequest(first, CLOSED_PATH)]],
    ] as const;
    return asked.map(([name, store, reason, requests]) => {
      return contestantOf([name, `${file.keys} keys`], size.checks, askOf(store, requests, reason));
    });
  });
  const parts = files.slice(0, 1).flatMap(({ path, secrets: [secret = ""] }) => {
    const reader = openKeyReader(path);
    stops.push(reader.close);
    return checkParts(reader, secret).map(({ name, run }) => contestantOf([name, ""], size.checks, run));
  });
  const request = checkRequest(writeSecret("kw", randomBytes(32)));
  const decode = () => fromBinary(CheckRequestSchema, request);
  return [
    ...ofFiles,
    ...parts,
    contestantOf(METRICS_ROW, size.checks, createCounting()),
    contestantOf(DECODE_ROW, size.checks, decode),
  ];
}

/**
 * Makes what asks a store for one request after the other, and around again. It throws at once where an answer is not what
 * it should be. All ask the same check, as in a check thread: the compiler makes slower code where there are several.
 */
function createAsking(): (store: KeyStore, requests: readonly Uint8Array[], reason: string) => () => unknown {
  let current: KeyStore | undefined;
  const check = createCheck(
    portsOf({
      policy: policyOf(ROUTES),
      digest: secretDigest,
      rates: createRateLimiter(new BigInt64Array(new SharedArrayBuffer(8)), process.hrtime.bigint),
      store: { find: (digest) => current?.find(digest) },
      noteKey: createUsageTally(() => {}).note,
    }),
  );
  const context = { nowMs: Date.now(), decisionId: "5f2b1f5c-2f0b-4a55-9a43-1f6f8f3f1c11" };
  return (store, requests, reason) => {
    current = store;
    for (const request of requests) {
      const { dynamicMetadata } = fromBinary(CheckResponseSchema, check(request, context));
      const answered = dynamicMetadata?.reason;
      if (answered !== reason) throw new Error(`answered ${answered} instead of ${reason}`);
    }
    let next = 0;
    return () => {
      current = store;
      const request = requests[next++ % requests.length];
      return request && check(request, context);
    };
  };
}

/** What a check thread counts of one check, the two looks at the clock included. */
function createCounting(): () => void {
  const counters = createCheckCounters(new MetricCells(createMetricMemory(1), 0), ["/v1/**"]);
  return () => {
    const started = performance.now();
    counters.countOutcome("allowed", "/v1/**");
    counters.countDuration(performance.now() - started);
    counters.countCache(NO_COUNTS);
  };
}

function contestantOf(row: readonly string[], calls: number, run: () => unknown): Contestant {
  return {
    part: "check",
    row,
    async measure() {
      const allocated = allocatedBy(run);
      const before = process.cpuUsage();
      for (let call = 0; call < calls; call++) run();
      const { user, system } = process.cpuUsage(before);
      return { ...allocated, cpuUs: (user + system) / calls } satisfies Figures;
    },
  };
}

/** So few that most often nothing is collected in between. */
const ALLOCATING_CALLS = 200;

/**
 * Bytes of heap that one call takes, on average; nothing where some were collected meanwhile. Nothing is collected first: V8
 * would make the young generation small, and all that is measured after it slower.
 */
function allocatedBy(run: () => unknown): Pick<Figures, "allocatedBytes"> {
  const before = process.memoryUsage().heapUsed;
  for (let call = 0; call < ALLOCATING_CALLS; call++) run();
  const allocatedBytes = (process.memoryUsage().heapUsed - before) / ALLOCATING_CALLS;
  return allocatedBytes < 0 ? {} : { allocatedBytes };
}

/**
 * `npm run bench`: what deciding costs, without a socket: CPU time of one `check(bytes)` in microseconds and as a ratio to
 * what protobuf-es takes only to decode the same CheckRequest. The cases take turns over several rounds; medians are
 * printed with the range beside them.
 */
import { hash, randomBytes, randomUUID } from "node:crypto";
import { cpus } from "node:os";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import Table from "cli-table3";
import { createCheck } from "../../src/check/check.ts";
import { DEFAULT_SOURCES } from "../../src/check/credential.ts";
import { createRateLimiter } from "../../src/check/rate-limit.ts";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { createKeyCache } from "../../src/store/cache.ts";
import { createUsageTally } from "../../src/usage/tally.ts";

/** Odd, so that a median is one of them. */
const ROUNDS = 9;
/** About a tenth of a second a case and round: long enough to hold several collections of garbage. */
const CALLS_PER_ROUND = 20_000;

const digest = (secret: string) => hash("sha256", secret, "hex");
const good = writeSecret("kw", randomBytes(32));
const limited = writeSecret("kw", randomBytes(32));
const spent = writeSecret("kw", randomBytes(32));
const record: KeyRecord = {
  id: "key_0VbbtArB0BXOUue9abRF",
  tenant: "acme",
  owner: "service/ci",
  scopes: ["api:read", "api:write"],
  paths: ["/v1"],
  notBeforeMs: undefined,
  expiresAtMs: Date.now() + 86_400_000,
  revoked: false,
  disabled: false,
  graceEndsAtMs: undefined,
  methods: [],
  networks: undefined,
  inheritsScopes: false,
  ownerLimits: undefined,
  rateLimit: undefined,
  signed: false,
  revision: 1,
};
/** One that no caller here can use up, and one that the first has used up. */
const ample = { requests: 1_000_000, windowMs: 1_000, cell: 0 };
const scarce = { requests: 1, windowMs: 31 * 86_400_000, cell: 1 };
const records = new Map([
  [digest(good), record],
  [digest(limited), { ...record, rateLimit: ample }],
  [digest(spent), { ...record, rateLimit: scarce }],
]);
const store = { find: (hashed: string) => records.get(hashed), revision: () => 1 };
const policy = compilePolicy({
  routes: [
    { path: "/healthz", access: "public" },
    { path: "/v1/admin/**", scopes: ["admin:all"] },
    { path: "/v1/**", scopes: ["api:read"] },
  ],
});
if ("problems" in policy) throw new Error("the benchmark's routes are not valid");
const check = createCheck({
  policy: policy.policy,
  credentials: DEFAULT_SOURCES,
  trustedHops: 0,
  identityHeaders: {
    keyId: "x-keyward-key-id",
    owner: "x-keyward-owner",
    tenant: "x-keyward-tenant",
    scopes: "x-keyward-scopes",
  },
  realm: "keyward",
  wwwAuthenticate: "on",
  expiryWarningMs: 0,
  digest,
  serveStaleForMs: 30_000,
  rates: createRateLimiter(new BigInt64Array(new SharedArrayBuffer(16)), process.hrtime.bigint),
  store: createKeyCache(store, { maxKeys: 1000, maxUnknown: 1000 }),
  onStoreError: "deny",
  observe: () => {},
  noteKey: createUsageTally(() => {}).note,
});

/** A request of 13 headers, as Envoy sends it with `encode_raw_headers`. */
function request(secret: string, path: string): Uint8Array {
  const headers = {
    ":authority": "api.example.com",
    ":path": path,
    ":method": "GET",
    ":scheme": "https",
    "user-agent": "curl/8.5.0",
    accept: "*/*",
    "accept-encoding": "gzip, deflate, br",
    "x-request-id": randomUUID(),
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "content-type": "application/json",
    cookie: "session=0123456789abcdef; theme=dark",
    authorization: `Bearer ${secret}`,
  };
  const raw = Object.entries(headers).map(([key, value]) => ({ key, rawValue: new TextEncoder().encode(value) }));
  const source = { address: { address: { case: "socketAddress" as const, value: { address: "203.0.113.7" } } } };
  const http = { method: "GET", path, host: "api.example.com", protocol: "HTTP/2", headerMap: { headers: raw } };
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes: { source, request: { http } } }));
}

const context = { nowMs: Date.now(), decisionId: randomUUID() };
const path = "/v1/orders/4711?expand=items";
const requests = {
  "known key, allowed": request(good, path),
  "known key with a rate limit, allowed": request(limited, path),
  "known key with a rate limit, used up": request(spent, path),
  "known key, scope missing": request(good, "/v1/admin/users"),
  "unknown key": request(writeSecret("kw", randomBytes(32)), path),
  "mistyped key": request(`${good.slice(0, -1)}!`, path),
};
const allowed = requests["known key, allowed"];
const floor = "protobuf-es decodes the request";
const cases = new Map<string, () => unknown>([
  [floor, () => fromBinary(CheckRequestSchema, allowed)],
  ...Object.entries(requests).map(([name, bytes]) => [name, () => check(bytes, context)] as const),
]);

const rounds = new Map([...cases.keys()].map((name) => [name, [] as number[]]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, run] of cases) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS_PER_ROUND; call++) run();
    const { user, system } = process.cpuUsage(before);
    // The first two rounds warm up the compiler.
    if (round >= 0) rounds.get(name)?.push((user + system) / CALLS_PER_ROUND);
  }
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const base = median(rounds.get(floor) ?? []);
const table = new Table({ head: ["case", "CPU µs", "range", "ratio"], style: { head: [], border: [] } });
for (const [name, times] of rounds) {
  const range = `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)}`;
  table.push([name, median(times).toFixed(2), range, (median(times) / base).toFixed(2)]);
}
process.stdout.write(`${table.toString()}\n`);
const processor = cpus()[0]?.model.trim();
process.stdout.write(
  `${processor}, ${cpus().length} cores, not pinned; Node ${process.versions.node}; request of ${allowed.length} bytes; ` +
    `medians of ${ROUNDS} rounds of ${CALLS_PER_ROUND} calls\n`,
);

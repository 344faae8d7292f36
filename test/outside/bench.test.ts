import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { summaryOf } from "../bench/summary.ts";
import { tablesOf } from "../bench/tables.ts";
import { refuseSecrets } from "../support/secrets.ts";

const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url));

function bench(args: readonly string[], env = process.env) {
  return promisify(execFile)(process.execPath, [main, ...args], { env });
}

// Every answer is verified while it runs: a server that answers anything else ends it with 1.
test("the benchmark measures servers, checks, stores and the way through Envoy", { timeout: 180_000 }, async () => {
  const { stdout } = await bench(["--smoke", "-o", "json"]);
  refuseSecrets("the benchmark", stdout);
  const { conditions, measured, reach } = JSON.parse(stdout);
  const parts = measured.map(({ part }: { part: string }) => part);
  const counted = Object.groupBy(parts, (part: string) => part);
  // Six questions for Keyward on two transports and one for two floors, in three loads; five checks, four parts of one,
  // the metrics, and what protobuf-es takes.
  expect(counted).toMatchObject({ servers: { length: 42 }, check: { length: 11 }, store: { length: 2 } });
  expect(counted.envoy).toHaveLength(5);
  const short = summaryOf(tablesOf(measured, reach, conditions));
  const shown = [
    "| Keyward, h2 | miss, keys in turn | ",
    "| grpc-js, bare | constant | ",
    "| Keyward, grpc-js, TCP | ",
  ];
  expect(shown.filter((row) => !short.includes(`\n${row}`))).toEqual([]);
  const missing = measured.filter(({ rounds }: { rounds: object[] }) =>
    rounds.some((figures) => Object.values(figures).some((figure) => typeof figure !== "number")),
  );
  expect(missing).toEqual([]);
  expect(reach.map(({ what }: { what: string }) => what)).toEqual([
    "Keyward, h2 ÷ grpc-js, bare: CPU, 4×64",
    "Keyward, h2 ÷ node:http2, bare: CPU, 4×64",
    "Keyward, h2 ÷ node:http2, bare: p99, 1×1",
    "Keyward, h2 ÷ grpc-js, bare: CPU, 2×16",
    "Keyward, h2: a miss costs more than a hit, µs, 2×16",
    "Keyward, grpc-js ÷ grpc-js, bare: CPU, 2×16",
    "Keyward, grpc-js: a miss costs more than a hit, µs, 2×16",
    "check(bytes) of a cached key ÷ a call of grpc-js, bare, 2×16",
    "check(bytes): a miss costs more than a hit, µs",
    "metrics of one check, µs",
    "heap of a cached key, bytes",
    "start with 1000 keys, ms",
    "through Envoy, TCP: p50 that Keyward adds, h2 ÷ grpc-js",
  ]);
  expect(conditions).toMatchObject({ size: "smoke", rounds: 1, node: process.versions.node });
});

test.each([
  [
    "a machine without h2load is told the package",
    [],
    { PATH: "/nowhere" },
    "install nghttp2-client (Debian, Ubuntu).",
  ],
  ["a part that there is not is named", ["--only", "servers,tables"], {}, "--only tables must be of servers, check"],
  ["a form of output that there is not is named", ["-o", "yaml"], {}, "-o yaml must be table or json"],
  ["an option that there is not is named", ["--slow"], {}, "Unknown option '--slow'"],
])("%s", async (_, args, env, sentence) => {
  const refused = expect(bench(args, { ...process.env, ...env })).rejects;
  await refused.toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(sentence) });
});

import Table from "cli-table3";
import type { Conditions } from "./conditions.ts";
import type { Reach } from "./reach.ts";
import { difference, figureOf, find, type Measured, perRound, ratio } from "./rounds.ts";
import { FLOORS, LOADS } from "./servers.ts";
import type { Spread } from "./spread.ts";

/** Everything as tables for people, in Markdown, so that they can be copied into the documentation. */
export function tablesOf(measured: readonly Measured[], reaches: readonly Reach[], conditions: Conditions): string {
  const of = (part: Measured["part"]) => measured.filter((one) => one.part === part);
  const bareCall = find(measured, "servers", FLOORS.grpc, "constant", LOADS.usual.name);
  const tables = [
    [`Servers, with ${conditions.serverKeys} keys`, serverTable(of("servers"))],
    ["check(bytes), without a socket", checkTable(of("check"), bareCall)],
    ["Store", storeTable(of("store"))],
    ["Through Envoy, one request at a time", envoyTable(of("envoy"))],
    ["Reach", reachTable(reaches)],
  ] as const;
  const shown = tables.flatMap(([title, rows]) => (rows.length > 1 ? [`${title}\n\n${markdown(rows)}`] : []));
  return [...shown, conditionsLine(conditions)].join("\n\n");
}

type Rows = readonly (readonly string[])[];

function serverTable(measured: readonly Measured[]): Rows {
  const head = ["server", "asked", "load", "CPU µs", "÷ grpc-js", "÷ http2", "calls/s", "p50 µs", "p99 µs", "p99.9 µs"];
  const rows = measured.map((one) => {
    const ratios = Object.values(FLOORS).map((floor) => {
      const base = find(measured, "servers", floor, "constant", one.row[2] ?? "");
      return spread(perRound("cpuUs", [one, base], ratio), 2);
    });
    const latencies = (["p50Us", "p99Us", "p999Us"] as const).map((name) => figureOf(one, name).median.toFixed(0));
    const speed = figureOf(one, "callsPerSecond").median.toFixed(0);
    return [...one.row, spread(figureOf(one, "cpuUs"), 1), ...ratios, speed, ...latencies];
  });
  return [head, ...rows];
}

function checkTable(measured: readonly Measured[], bareCall: Measured | undefined): Rows {
  const rows = measured.map((one) => {
    const allocated = figureOf(one, "allocatedBytes").median.toFixed(0);
    const compared = spread(perRound("cpuUs", [one, bareCall], ratio), 3);
    return [...one.row, spread(figureOf(one, "cpuUs"), 2), compared, allocated];
  });
  return [["asked", "database", "CPU µs", "÷ grpc-js", "bytes of heap"], ...rows];
}

function storeTable(measured: readonly Measured[]): Rows {
  const rows = measured.map((one) => {
    const start = spread(figureOf(one, "startMs"), 0);
    return [...one.row, start, spread(figureOf(one, "heapBytesPerKey"), 0)];
  });
  return [["what", "database", "ms", "bytes of heap per key"], ...rows];
}

function envoyTable(measured: readonly Measured[]): Rows {
  const [base] = measured;
  const rows = measured.map((one) => {
    const added = (["p50Us", "p99Us"] as const).map((name) =>
      one === base ? "" : spread(perRound(name, [one, base], difference), 0),
    );
    return [...one.row, spread(figureOf(one, "p50Us"), 0), spread(figureOf(one, "p99Us"), 0), ...added];
  });
  return [["listener", "p50 µs", "p99 µs", "added p50 µs", "added p99 µs"], ...rows];
}

function reachTable(reaches: readonly Reach[]): Rows {
  const rows = reaches.map(({ what, atMost, measured, holds }) => {
    const digits = atMost < 10 ? 3 : 0;
    return [what, atMost.toFixed(digits), spread(measured, digits), holds ? "holds" : "missed"];
  });
  return [["what", "at most", "measured", ""], ...rows];
}

/** The median, and from where to where the rounds went. Empty where nothing was measured. */
function spread(measured: Spread | undefined, digits: number): string {
  if (measured === undefined || Number.isNaN(measured.median)) return "";
  const { median, min, max } = measured;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function markdown([head = [], ...rows]: Rows): string {
  const none = { top: "", "top-mid": "", "top-left": "", "top-right": "" };
  const ends = { bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" };
  const inner = { left: "|", right: "|", middle: "|", mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
  const table = new Table({ chars: { ...none, ...ends, ...inner }, style: { head: [], border: [] } });
  table.push(
    [...head],
    head.map(() => "---"),
    ...rows.map((row) => [...row]),
  );
  return table.toString();
}

function conditionsLine({ cpu, cores, node, pinned, loadBefore, loadAfter, size, rounds }: Conditions): string {
  const place = pinned ? "servers on core 0, load on core 1" : "not pinned";
  const load = `load average ${loadBefore.toFixed(1)} before it began and ${loadAfter.toFixed(1)} at its end`;
  return `${cpu}, ${cores} cores, ${place}; Node ${node}; ${load}; medians of ${rounds} rounds (${size}), range in brackets`;
}

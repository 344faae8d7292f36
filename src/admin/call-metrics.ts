import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Cell, MetricCells } from "../observe/metrics/cells.ts";
import { METHOD_ACCESS } from "./admin-scope.ts";

/**
 * Counts calls that have ended, by method and code, and the time of those that are one question and one answer. To stand in
 * front of all that may refuse a call.
 */
export function callMetricsInterceptor(cells: MetricCells): Interceptor {
  const counters = new Map<string, Cell>();
  const durations = cells.histogram("keyward_admin_call_duration_seconds");
  const count = (method: string, code: string) => {
    // A method that nobody may call is not among the series.
    if (!(method in METHOD_ACCESS)) return;
    const key = `${method} ${code}`;
    const cell = counters.get(key) ?? cells.at("keyward_admin_calls_total", { method, code });
    counters.set(key, cell);
    cell.add();
  };
  return (next) => async (request) => {
    const method = `${request.service.typeName}.${request.method.name}`;
    const startedAt = performance.now();
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: toItsEnd(response.message, (code) => count(method, code)) };
      count(method, "ok");
      durations.observe((performance.now() - startedAt) / 1000);
      return response;
    } catch (error) {
      count(method, codeOf(error));
      throw error;
    }
  };
}

async function* toItsEnd<Item>(items: AsyncIterable<Item>, ended: (code: string) => void): AsyncIterable<Item> {
  let code = "canceled";
  try {
    yield* items;
    code = "ok";
  } catch (error) {
    code = codeOf(error);
    throw error;
  } finally {
    ended(code);
  }
}

function codeOf(error: unknown): string {
  const { code } = ConnectError.from(error);
  return (Code[code] ?? "Unknown").replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

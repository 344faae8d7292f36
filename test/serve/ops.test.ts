import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { REASON_NAMES } from "../../src/check/reason.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import type { Keyward } from "../support/keyward.ts";
import { byLabel, readMetrics, type Samples } from "../support/metrics.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

interface Answer {
  status: number | undefined;
  type: string | undefined;
  allow?: string | undefined;
  body: string;
}

function ask(keyward: Keyward, path: string, method = "GET"): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(`http://${keyward.ops}${path}`, { method }, async (response) => {
    const { "content-type": type, allow } = response.headers;
    resolve({ status: response.statusCode, type, allow, body: await text(response) });
  });
  asked.on("error", reject).end();
  return promise;
}

async function metricsOf(keyward: Keyward): Promise<Samples> {
  return readMetrics((await ask(keyward, "/metrics")).body);
}

describe("the ops listener", () => {
  const plain = "text/plain; charset=utf-8";
  const notThere = "there are /healthz, /readyz and /metrics\n";

  test("answers what it has, and says of the rest what it has", async () => {
    const keyward = await keywardForThisTest();
    const rows: [string, string, Partial<Answer>][] = [
      ["GET", "/healthz", { status: 200, type: plain, body: "ok\n" }],
      ["GET", "/healthz?x=1", { status: 200, type: plain, body: "ok\n" }],
      ["HEAD", "/healthz", { status: 200, type: plain, body: "" }],
      ["GET", "/readyz", { status: 200, type: plain, body: "ready\n" }],
      ["HEAD", "/readyz", { status: 200, type: plain, body: "" }],
      ["HEAD", "/metrics", { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: "" }],
      ["GET", "/", { status: 404, type: plain, body: notThere }],
      ["GET", "/healthz/", { status: 404, type: plain, body: notThere }],
      ["GET", "/Metrics", { status: 404, type: plain, body: notThere }],
      ["POST", "/healthz", { status: 405, type: plain, allow: "GET, HEAD", body: "method not allowed\n" }],
      ["DELETE", "/metrics", { status: 405, type: plain, allow: "GET, HEAD", body: "method not allowed\n" }],
    ];
    for (const [method, path, expected] of rows) {
      expect(await ask(keyward, path, method), `${method} ${path}`).toMatchObject(expected);
    }
  });

  test("can be off, and the rest serves", async () => {
    const keyward = await keywardForThisTest({ flags: ["--listen-ops", "off"] });
    expect(keyward.ops).toBe("");
    expect(await checkClientForThisTest(keyward.authz).health()).toBe("SERVING");
  });
});

describe("/metrics", () => {
  test("counts every check, once, by decision and reason", async () => {
    const keyward = await keywardForThisTest({
      config: `routes:
  - { path: /public, access: public }
  - { path: /closed, access: deny }
  - { path: /orders, scopes: [orders:read] }
  - { path: "/**", access: authenticated }
`,
    });
    const client = checkClientForThisTest(keyward.authz);
    const good = await createKey(keyward.adminSocket, { scopes: ["orders:read"] });
    const poor = await createKey(keyward.adminSocket, { paths: ["/orders"] });
    const gone = await createKey(keyward.adminSocket);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: gone.id });

    const sent: [number, () => Promise<unknown>, string][] = [
      [4, () => client.present(good.secret, { path: "/orders" }), "allowed"],
      [2, () => client.check({ path: "/public" }), "public"],
      [3, () => client.check(), "no_credential"],
      [1, () => client.present(good.secret, { path: "/closed" }), "route_denied"],
      [2, () => client.present(gone.secret), "key_revoked"],
      [5, () => client.present(secretOf("nobody's")), "unknown_key"],
      [1, () => client.present(`${good.secret}0`), "malformed_credential"],
      [2, () => client.present(poor.secret, { path: "/orders" }), "insufficient_scope"],
      [1, () => client.present(poor.secret, { path: "/other" }), "path_not_allowed"],
      [3, () => client.checkBytes(Buffer.from("no protobuf")), "malformed_request"],
      [1, () => client.check({ path: "/a//b" }), "ambiguous_path"],
      [1, () => client.check({ host: "a,b" }), "ambiguous_host"],
      [1, () => client.check({ extensions: { "keyward.nonsense": "1" } }), "misconfigured_route"],
    ];
    const expected = new Map<string, number>(["allowed", "public", ...REASON_NAMES].map((reason) => [reason, 0]));
    let total = 0;
    for (const [times, send, reason] of sent) {
      for (let time = 0; time < times; time++) await send();
      expected.set(reason, times);
      total += times;
    }

    const samples = await metricsOf(keyward);
    expect(byLabel(samples, "keyward_checks_total", "reason")).toEqual(expected);
    expect(samples.get('keyward_checks_total{decision="allow",reason="public"}')).toBe(2);
    expect(samples.get('keyward_checks_total{decision="deny",reason="no_credential"}')).toBe(3);
    expect(Object.fromEntries(byLabel(samples, "keyward_cache_lookups_total", "result"))).toEqual({
      hit: 3 + 1 + 2,
      unknown_hit: 4,
      miss: 4,
    });
    expect(samples.get("keyward_check_duration_seconds_count")).toBe(total);
    expect(samples.get('keyward_check_duration_seconds_bucket{le="+Inf"}')).toBe(total);
    const buckets = [...byLabel(samples, "keyward_check_duration_seconds_bucket", "le").values()];
    expect(buckets).toEqual(buckets.toSorted((one, other) => one - other));
    expect(samples.get("keyward_check_duration_seconds_sum")).toBeGreaterThan(0);
    expect(samples.get('keyward_applied_revision{thread="0"}')).toBe(4);
    const byRoute = (route: string, rest: string) =>
      samples.get(`keyward_route_checks_total{route="${route}",${rest}}`);
    expect(byRoute("/orders", 'decision="allow",reason="allowed"')).toBe(4);
    expect(byRoute("/orders", 'decision="deny",reason="insufficient_scope"')).toBe(2);
    expect(byRoute("/closed", 'decision="deny",reason="route_denied"')).toBe(1);
    expect(byRoute("none", 'decision="deny",reason="malformed_request"')).toBe(3);
    const routeTotal = [...samples].filter(([name]) => name.startsWith("keyward_route_checks_total{"));
    expect(routeTotal.reduce((sum, [, count]) => sum + count, 0)).toBe(total);
    expect(samples.get("keyward_store_lookup_duration_seconds_count")).toBe(4);
    expect(samples.get('keyward_build_info{version="0.1.0"}')).toBe(1);
  });

  test("follows the revision, and a second look counts nothing twice", async () => {
    const keyward = await keywardForThisTest();
    const revision = async () => (await metricsOf(keyward)).get('keyward_applied_revision{thread="0"}');
    expect(await revision()).toBe(0);
    await createKey(keyward.adminSocket);
    expect(await revision()).toBe(1);
    await createKey(keyward.adminSocket);
    expect(await revision()).toBe(2);
    await checkClientForThisTest(keyward.authz).check();
    const counts = [await metricsOf(keyward), await metricsOf(keyward)].map((samples) =>
      byLabel(samples, "keyward_checks_total", "reason").get("no_credential"),
    );
    expect(counts).toEqual([1, 1]);
  });

  test("tells of the admin side: calls, how soon a change was obeyed, the store", async () => {
    const keyward = await keywardForThisTest();
    const { id } = await createKey(keyward.adminSocket);
    await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: id });
    const refused = adminCall(keyward.adminSocket, "KeyService/GetKey", { key: "key_unknown" });
    await expect(refused).rejects.toThrow();
    await until("the writer has looked at the store", async () => {
      return (await metricsOf(keyward)).get("keyward_store_revision") === 2;
    });
    const samples = await metricsOf(keyward);
    const calls = [...samples].filter(([series]) => series.startsWith("keyward_admin_calls_total"));
    expect(Object.fromEntries(calls)).toEqual({
      'keyward_admin_calls_total{method="keyward.admin.v1.KeyService.CreateKey",code="ok"}': 1,
      'keyward_admin_calls_total{method="keyward.admin.v1.KeyService.RevokeKey",code="ok"}': 1,
      'keyward_admin_calls_total{method="keyward.admin.v1.KeyService.GetKey",code="not_found"}': 1,
    });
    expect(samples.get("keyward_admin_call_duration_seconds_count")).toBe(2);
    expect(samples.get("keyward_change_enforcement_seconds_count")).toBe(2);
    for (const file of ["main", "wal"]) {
      expect(samples.get(`keyward_database_bytes{file="${file}"}`)).toBeGreaterThan(4_095);
    }
    expect(samples.get("keyward_database_disk_free_bytes")).toBeGreaterThan(0);
  });

  test("says that every thread is alive, and what the program takes", async () => {
    const keyward = await keywardForThisTest({ flags: ["--check-threads", "2"] });
    await until("each thread has had its turn", async () => {
      return byLabel(await metricsOf(keyward), "keyward_event_loop_delay_seconds_count", "thread").size === 4;
    });
    const samples = await metricsOf(keyward);
    const alive = byLabel(samples, "keyward_thread_heartbeat_timestamp_seconds", "thread");
    expect([...alive.keys()]).toEqual(["0", "1", "writer", "main"]);
    expect([...alive.values()].filter((at) => Math.abs(Date.now() / 1000 - at) > 60)).toEqual([]);
    for (const name of ["cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds"]) {
      expect(samples.get(`process_${name}`), name).toBeGreaterThan(0);
    }
    expect(Math.abs(Date.now() / 1000 - (samples.get("process_start_time_seconds") ?? 0))).toBeLessThan(60);
  });

  test("has no applied revision where no check thread has opened a store", async () => {
    const keyward = await keywardForThisTest({ flags: ["--mode", "authz"] });
    expect(byLabel(await metricsOf(keyward), "keyward_applied_revision", "thread")).toEqual(new Map());
  });
});

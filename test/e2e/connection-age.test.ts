import { expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { byLabel, readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { startGateway } from "./support/gateway.ts";
import { statsOf } from "./support/stats.ts";
import { startSteadyLoad } from "./support/steady.ts";

/** Waited for in steps, each of which has the patience of `until`. */
const DRAINS = [4, 8, 12];

/** For machines that are busy with other tests: what is asked is whether a check fails, not how long it takes. */
const PATIENT = { from: " timeout: 0.25s", to: " timeout: 10s" };

/** So many that at any moment there is a check on its way. */
const CALLERS = 50;

const ERRORS = "http.ingress.ext_authz.error";
const RETRIES = "cluster.keyward.upstream_rq_retry";

test("twelve connections of Envoy's that end by age under load fail no check, and none is asked twice", async () => {
  const gateway = await startGateway({ flags: ["--transport", "h2", "--max-connection-age", "1s"] });
  onTestFinished(gateway.stop);
  const { port, adminPort } = await gateway.shipped(PATIENT);
  const { secret } = await createKey(gateway.keyward.adminSocket);
  const load = startSteadyLoad(port, secret, CALLERS);
  const drains = async () => {
    const metrics = await (await fetch(`http://${gateway.keyward.ops}/metrics`)).text();
    return byLabel(readMetrics(metrics), "keyward_h2_goaways_total", "cause");
  };
  for (const count of DRAINS) {
    await until(`${count} connections have ended`, async () => ((await drains()).get("drain") ?? 0) >= count);
  }
  expect(await load.stop()).toEqual({ 200: load.answered });
  expect(await statsOf(adminPort, [ERRORS, RETRIES])).toEqual({ [ERRORS]: 0, [RETRIES]: 0 });
  const others = [...(await drains())].filter(([cause, count]) => cause !== "drain" && count > 0);
  expect(others).toEqual([]);
});

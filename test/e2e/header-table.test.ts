import { expect, onTestFinished, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { sendHttp1 } from "./support/client.ts";
import { startGateway } from "./support/gateway.ts";
import { statsOf } from "./support/stats.ts";

const FRAMES = "max_outbound_frames: 100000";
const BROKEN = "cluster.keyward.upstream_cx_protocol_error";

// It says so in its settings, and ends a connection on which that was not heard.
test("an Envoy that remembers no headers of Keyward's is served", async () => {
  const gateway = await startGateway();
  onTestFinished(gateway.stop);
  const { port, adminPort } = await gateway.shipped({ from: FRAMES, to: `${FRAMES}, hpack_table_size: 0` });
  const { secret } = await createKey(gateway.keyward.adminSocket);
  for (let count = 0; count < 3; count++) expect((await sendHttp1(port, { secret })).status).toBe(200);
  expect((await sendHttp1(port, { secret: `${secret}0` })).reason).toBe("malformed_credential");
  expect(await statsOf(adminPort, [BROKEN])).toEqual({ [BROKEN]: 0 });
});

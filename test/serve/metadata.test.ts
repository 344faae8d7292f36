import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient, describeRequest } from "../support/check-client.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";

let keyward: Keyward;
let client: CheckClient;
let secret: string;

beforeAll(async () => {
  keyward = await startKeyward();
  client = createCheckClient(keyward.authz);
  ({ secret } = await createKey(keyward.adminSocket));
});

afterAll(async () => {
  client.close();
  await keyward.stop();
});

/** A header of the client's, as a tracer in Envoy passes it on beside the call. */
function tracestate(...lengths: number[]): Metadata {
  const metadata = new Metadata();
  metadata.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  // HTTP/2 cannot write this character shorter than it is, so that a block of headers is as long as it says.
  for (const length of lengths) metadata.add("tracestate", "~".repeat(length));
  return metadata;
}

describe.each([
  ["no tracestate", tracestate()],
  ["a tracestate of 17 KB", tracestate(17_000)],
  ["a tracestate of 60 KB, all that Envoy takes of a client where it is not told otherwise", tracestate(60_000)],
  ["two hundred tracestates, more than Node takes where it is not told otherwise", tracestate(...Array(200).fill(10))],
  ["fifty tracestates of 1 KB", tracestate(...Array.from({ length: 50 }, () => 1_000))],
])("beside %s", (_, metadata) => {
  const judged = (headers: readonly (readonly [string, string])[]) =>
    client.checkBytes(describeRequest({ headers }), metadata);

  test("a good key is let through", async () => {
    expect(await judged([["x-api-key", secret]])).toMatchObject({ code: 0, answer: "ok", reason: "allowed" });
  });

  test.each([
    ["a key that nobody has", secretOf("nobody's"), "unknown_key"],
    ["a key one character longer", `${secretOf("nobody's")}0`, "malformed_credential"],
  ])("%s is denied, which no failure_mode_allow lets through", async (_title, presented, reason) => {
    expect(await judged([["x-api-key", presented]])).toMatchObject({ code: 16, answer: "denied", status: 401, reason });
  });
});

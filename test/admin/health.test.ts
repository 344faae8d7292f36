import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../src/gen/health/v1/health_pb.ts";
import { startKeyward } from "../support/keyward.ts";
import { until } from "../support/until.ts";
import { CLIENTS, http2Options } from "./support/clients.ts";
import { sendHttp1 } from "./support/http.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const SERVICES = [
  "keyward.admin.v1.KeyService",
  "keyward.admin.v1.OwnerService",
  "keyward.admin.v1.AdminKeyService",
  "keyward.admin.v1.AuditService",
  "keyward.admin.v1.SystemService",
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];

function healthClient(target: string) {
  const options = http2Options(target);
  onTestFinished(() => options.sessionManager.abort());
  return createClient(Health, createGrpcTransport(options));
}

test.each(["", ...SERVICES])("the service %j is serving, and nobody needs a key to ask", async (service) => {
  const { status } = await healthClient(served().keyward.admin).check({ service });
  expect(status).toBe(Status.SERVING);
});

test.each(["keyward.admin.v1.KeyServic", "keyward.admin.v1.keyservice", "envoy.service.auth.v3.Authorization"])(
  "the service %j is not known",
  async (service) => {
    const client = CLIENTS["gRPC of grpc-js"]?.(served().keyward.admin) ?? served().network;
    onTestFinished(() => client.close());
    await expect(client.call(Health.method.check, { service })).rejects.toMatchObject({ code: "not_found" });
  },
);

test("all services are listed", async () => {
  const { statuses } = await healthClient(served().keyward.admin).list({});
  expect(Object.keys(statuses).sort()).toEqual(["", ...SERVICES].sort());
  expect(new Set(Object.values(statuses).map(({ status }) => status))).toEqual(new Set([Status.SERVING]));
});

test("plain curl can ask", async () => {
  const request = { path: "/grpc.health.v1.Health/Check", headers: { "content-type": "application/json" }, body: "{}" };
  expect(await sendHttp1(served().keyward.admin, request)).toMatchObject({ status: 200, body: '{"status":"SERVING"}' });
});

test("who watches an unknown service is told so, and the call stays open", async () => {
  const watched = healthClient(served().keyward.admin).watch({ service: "nobody" })[Symbol.asyncIterator]();
  expect((await watched.next()).value?.status).toBe(Status.SERVICE_UNKNOWN);
  const more = watched.next().then(() => "more");
  expect(
    await Promise.race([
      more,
      served()
        .keyward.cli("keys", "list")
        .then(() => "nothing more"),
    ]),
  ).toBe("nothing more");
  more.catch(() => {});
});

test("who watches is told of the shutdown, and does not hold it up", async () => {
  const keyward = await startKeyward({ flags: ["--shutdown-delay", "1s", "--shutdown-timeout", "20s"] });
  onTestFinished(() => keyward.stop());
  const watched = healthClient(keyward.admin).watch({ service: "" })[Symbol.asyncIterator]();
  expect((await watched.next()).value?.status).toBe(Status.SERVING);
  process.kill(keyward.pid, "SIGTERM");
  expect((await watched.next()).value?.status).toBe(Status.NOT_SERVING);
  expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
});

test("256 may watch at a time, and one more once one of them has ended", async () => {
  const keyward = await startKeyward();
  onTestFinished(() => keyward.stop());
  const clients = [1, 2, 3].map(() => healthClient(keyward.admin));
  const leaving = new AbortController();
  const begin = async (number: number, { signal } = new AbortController()) => {
    const watched = clients[number % 3]?.watch({ service: "" }, { signal })[Symbol.asyncIterator]();
    return (await watched?.next())?.value?.status;
  };
  const first = await begin(0, leaving);
  const others = await Promise.all(Array.from({ length: 255 }, (_, number) => begin(number + 1)));
  expect(new Set([first, ...others])).toEqual(new Set([Status.SERVING]));
  await expect(begin(1)).rejects.toThrow("[resource_exhausted] 256 watch already");
  leaving.abort();
  await until("there is room again", async () => (await begin(1)) === Status.SERVING);
});

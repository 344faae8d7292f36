import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { MAX_WATCHES } from "../../src/admin/audit/watches.ts";
import { AdminKeyService } from "../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { AuditService, type Event } from "../../src/gen/keyward/admin/v1/audit_service_pb.ts";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { ADMIN_PREFIX, SECRET_RANDOM_BYTES, writeSecret } from "../../src/key/secret.ts";
import { writeEvents } from "../store/support/trail.ts";
import { withStore } from "../support/direct-store.ts";
import { startKeyward } from "../support/keyward.ts";
import { readMetrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { CLIENTS, http2Options } from "./support/clients.ts";
import { refusedOfConnect } from "./support/refused.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, revokeKey } = KeyService.method;
const { listEvents } = AuditService.method;

/** A client over h2c with an admin key, closed after the test. */
function auditClient(target: string, adminKey?: string) {
  const options = http2Options(target);
  onTestFinished(() => options.sessionManager.abort());
  const headers = adminKey === undefined ? {} : { headers: { authorization: `Bearer ${adminKey}` } };
  const client = createClient(AuditService, createGrpcTransport(options));
  return {
    watch: (request: { afterSeq?: bigint; filter?: string }) =>
      client.watchEvents(request, headers)[Symbol.asyncIterator](),
  };
}

type Watch = ReturnType<ReturnType<typeof auditClient>["watch"]>;

/** Watches, and resolves once it is told that it does. */
async function watching(watch: Watch): Promise<Watch> {
  expect((await watch.next()).value?.event).toBe(undefined);
  return watch;
}

const nextOf = async (watch: Watch) => (await watch.next()).value?.event as Event | undefined;

/** How a stream was refused. */
const refusalOf = (watch: Watch) =>
  watch.next().then(
    () => "not refused",
    (error) => refusedOfConnect(error),
  );

describe("a list of events", () => {
  const COUNT = 1_001;
  beforeAll(() => {
    withStore(served().keyward, (store) => writeEvents(store, COUNT));
  });

  test("begins with the latest, and tells who did what from where", async () => {
    const { secret } = await served().local.call(AdminKeyService.method.createAdminKey, { name: "alice" });
    const { key } = await served().network.call(createKey, { name: "k", tenant: "acme" }, secret);
    const { events } = await served().local.call(listEvents, { pageSize: 2 });
    expect(events[0]).toMatchObject({
      actor: key?.createdBy,
      source: "127.0.0.1",
      action: "keys.create",
      target: key?.id,
      tenant: "acme",
      revision: key?.revision,
      at: key?.createdAt,
      previousHash: events[1]?.hash,
    });
    expect(JSON.parse(events[0]?.detail ?? "")).toMatchObject({ tenant: "acme", name: "k", scopes: [] });
  });

  test("tells of an update what was and what is", async () => {
    const { key } = await served().local.call(createKey, { name: "before", scopes: ["a"] });
    const id = key?.id ?? "";
    const request = { key: id, updateMask: { paths: ["name", "scopes"] }, name: "after", scopes: ["b"] };
    await served().local.call(KeyService.method.updateKey, request);
    const { events } = await served().local.call(listEvents, { filter: `target = ${id} AND action = keys.update` });
    const detail = JSON.parse(events[0]?.detail ?? "");
    expect(detail).toMatchObject({
      before: { name: "before", scopes: ["a"] },
      after: { name: "after", scopes: ["b"] },
    });
  });

  test.each([
    [0, 50],
    [1, 1],
    [1_000, 1_000],
    [1_001, 1_000],
  ])("a page_size of %i gives %i events", async (pageSize, count) => {
    const { events, nextPageToken } = await served().local.call(listEvents, { pageSize, orderBy: "seq" });
    expect(events.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(nextPageToken).not.toBe("");
  });

  test("comes page by page to its last event, which has no page behind it", async () => {
    const found: bigint[] = [];
    let pageToken = "";
    let head: bigint | undefined;
    do {
      const page = await served().local.call(listEvents, { pageSize: 400, orderBy: "seq desc", pageToken });
      found.push(...page.events.map(({ seq }) => seq));
      pageToken = page.nextPageToken;
      head = page.trail?.headSeq;
    } while (pageToken !== "");
    expect(found).toEqual(Array.from({ length: Number(head) }, (_, index) => BigInt(Number(head) - index)));
  });

  test.each<[title: string, request: object, field: string, description: string]>([
    ["a page_size below 0", { pageSize: -1 }, "page_size", "-1 must be >= 0"],
    ["another order", { orderBy: "at" }, "order_by", '"at" must be seq or seq desc'],
    [
      "a filter of another field",
      { filter: "name = x" },
      "filter",
      'names "name"; it can compare action, actor, target, tenant and at',
    ],
    ["a filter with a field twice", { filter: "actor = a AND actor = b" }, "filter", "compares actor twice"],
    [
      "a filter of a time with =",
      { filter: 'at = "2026-01-01T00:00:00Z"' },
      "filter",
      "compares at with =; it can be compared with >= and <",
    ],
    [
      "a filter of an actor with <",
      { filter: "actor < a" },
      "filter",
      "compares actor with <; it can be compared with =",
    ],
    [
      "a filter with a time without offset",
      { filter: 'at >= "2026-01-01T00:00:00"' },
      "filter",
      'compares at with "2026-01-01T00:00:00"; write a time such as "2026-12-31T23:59:59Z"',
    ],
    [
      "a filter that breaks off",
      { filter: "actor = local AND " },
      "filter",
      'cannot be read at "actor = local AND"; write action = "keys.revoke" AND at >= "2026-01-01T00:00:00Z"',
    ],
    [
      "a filter with a bare quotation mark",
      { filter: 'actor = "' },
      "filter",
      'cannot be read at "actor = \\""; write action = "keys.revoke" AND at >= "2026-01-01T00:00:00Z"',
    ],
    [
      "a made-up page_token",
      { pageToken: "bWFkZSB1cA" },
      "page_token",
      "is not of this list: take next_page_token of its last page",
    ],
  ])("%s is refused by its field", async (_, request, field, description) => {
    await expect(served().local.call(listEvents, request)).rejects.toMatchObject({
      code: "invalid_argument",
      fields: [field],
      descriptions: [description],
    });
  });

  test.each<[title: string, other: object]>([
    ["of another filter", { filter: "actor = local" }],
    ["of the other order", { orderBy: "seq" }],
  ])("a token %s is refused", async (_, other) => {
    const { nextPageToken: pageToken } = await served().local.call(listEvents, { pageSize: 1 });
    const refused = { code: "invalid_argument", fields: ["page_token"] };
    await expect(served().local.call(listEvents, { ...other, pageToken })).rejects.toMatchObject(refused);
    await expect(served().local.call(listEvents, { pageToken })).resolves.toBeDefined();
  });

  test("a filter that holds a whole key is refused without it", async () => {
    const secret = writeSecret(ADMIN_PREFIX, new Uint8Array(SECRET_RANDOM_BYTES).fill(3));
    const refusal = await served()
      .local.call(listEvents, { filter: `actor = ${secret}` })
      .catch(String);
    expect(refusal).toContain("holds a whole key");
    expect(refusal).not.toContain(secret);
  });

  test("tells one who is bound to a tenant nothing of the chain", async () => {
    const { secret } = await served().local.call(AdminKeyService.method.createAdminKey, { name: "a", tenant: "acme" });
    const { events, trail } = await served().network.call(listEvents, { pageSize: 1 }, secret);
    expect([events[0]?.tenant, events[0]?.hash, events[0]?.previousHash, trail]).toEqual(["acme", "", "", undefined]);
    const whole = await served().local.call(listEvents, { pageSize: 1 });
    expect([whole.events[0]?.hash, whole.trail?.headHash]).toEqual([
      whole.trail?.headHash,
      expect.stringMatching(/^\w{64}$/),
    ]);
  });
});

describe("who watches", () => {
  test("is told of what others do from now on, in order", async () => {
    const { secret } = await served().local.call(AdminKeyService.method.createAdminKey, { name: "another admin" });
    const watch = await watching(auditClient(served().keyward.admin, await served().adminKey("audit:read")).watch({}));
    const { key } = await served().network.call(createKey, { name: "k" }, secret);
    await served().local.call(revokeKey, { key: key?.id ?? "" });
    const [one, two] = [await nextOf(watch), await nextOf(watch)];
    const at = (event: Event | undefined) => [event?.action, event?.target, event?.actor];
    expect([at(one), at(two)]).toEqual([
      ["keys.create", key?.id, key?.createdBy],
      ["keys.revoke", key?.id, "local"],
    ]);
  });

  test("is told of what another process does on the same database", async () => {
    const watch = await watching(auditClient(served().socket).watch({}));
    withStore(served().keyward, (store) => writeEvents(store, 1));
    expect((await nextOf(watch))?.action).toBe("admin_keys.create");
  });

  test("gets those behind a number first, and then what happens", async () => {
    const { events } = await served().local.call(listEvents, { pageSize: 3 });
    const watch = await watching(auditClient(served().socket).watch({ afterSeq: events[2]?.seq ?? 0n }));
    const { key } = await served().local.call(createKey, { name: "k" });
    const told = [await nextOf(watch), await nextOf(watch), await nextOf(watch)];
    expect(told.map((event) => event?.seq)).toEqual([events[1]?.seq, events[0]?.seq, (events[0]?.seq ?? 0n) + 1n]);
    expect(told[2]?.target).toBe(key?.id);
  });

  test("sees only what the filter lets through", async () => {
    const watch = await watching(auditClient(served().socket).watch({ filter: "action = keys.revoke" }));
    const { key } = await served().local.call(createKey, { name: "k" });
    await served().local.call(revokeKey, { key: key?.id ?? "" });
    expect((await nextOf(watch))?.action).toBe("keys.revoke");
  });

  test("and is bound to a tenant sees that tenant only, and nothing of the chain", async () => {
    const made = await served().local.call(AdminKeyService.method.createAdminKey, { name: "a", tenant: "umbra" });
    const watch = await watching(auditClient(served().keyward.admin, made.secret).watch({}));
    for (const tenant of ["umbra2", "", "umbra"]) await served().local.call(createKey, { name: "k", tenant });
    expect(await nextOf(watch)).toMatchObject({ tenant: "umbra", hash: "", previousHash: "" });
  });

  test("slowly is told of everything all the same", async () => {
    const { events } = await served().local.call(listEvents, { pageSize: 1 });
    const last = events[0]?.seq ?? 0n;
    const watch = await watching(auditClient(served().socket).watch({ afterSeq: 0n }));
    withStore(served().keyward, (store) => writeEvents(store, 300));
    for (let seq = 1n; seq <= last + 300n; seq++) expect((await nextOf(watch))?.seq).toBe(seq);
  });

  test.each([
    ["afterSeq below 0", { afterSeq: -1n }, ["after_seq"], ["-1 must be >= 0"]],
    ["a filter of another field", { filter: "x = y" }, ["filter"], [expect.stringContaining('names "x"')]],
  ])("with %s is refused by the field", async (_, request, fields, descriptions) => {
    const refused = await refusalOf(auditClient(served().socket).watch(request));
    expect(refused).toMatchObject({ code: "invalid_argument", fields, descriptions });
  });

  test.each([
    ["without an admin key", undefined, "unauthenticated"],
    ["with an admin key for everything else", "others", "permission_denied"],
  ])("%s is refused", async (_, which, code) => {
    const scopes = ["keys:read", "keys:write", "owners:write", "admins:write", "system:write"];
    const key = which === undefined ? undefined : await served().adminKey(...scopes);
    expect(await refusalOf(auditClient(served().keyward.admin, key).watch({}))).toMatchObject({ code });
  });

  test("is told no more once the admin key is revoked", async () => {
    const { key, secret } = await served().local.call(AdminKeyService.method.createAdminKey, { name: "a" });
    const watch = await watching(auditClient(served().keyward.admin, secret).watch({}));
    await served().local.call(AdminKeyService.method.revokeAdminKey, { key: key?.id ?? "" });
    const refused = { code: "unauthenticated", message: "the admin key is not valid" };
    expect(await refusalOf(watch)).toMatchObject(refused);
  });

  test("is refused while as many watch as may, and not once one of them has gone", async () => {
    const keyward = await startKeyward();
    onTestFinished(() => keyward.stop());
    const openNow = async () => {
      const metrics = await (await fetch(`http://${keyward.ops}/metrics`)).text();
      return readMetrics(metrics).get("keyward_admin_watches");
    };
    const options = http2Options(`unix:${keyward.adminSocket}`);
    onTestFinished(() => options.sessionManager.abort());
    const client = createClient(AuditService, createGrpcTransport(options));
    const first = new AbortController();
    const watch = (signal?: AbortSignal) => client.watchEvents({}, signal && { signal })[Symbol.asyncIterator]();
    await watching(watch(first.signal));
    for (let count = 1; count < MAX_WATCHES; count++) await watching(watch());
    expect(await openNow()).toBe(MAX_WATCHES);
    expect(await refusalOf(watch())).toMatchObject({
      code: "resource_exhausted",
      reason: "TOO_MANY_WATCHES",
      message: "64 watches of the audit trail are open, and no more can be; end one, or list events instead",
    });
    expect(await openNow()).toBe(MAX_WATCHES);
    first.abort();
    await until("it has gone", async () => (await openNow()) === MAX_WATCHES - 1);
    await watching(watch());
  });

  test("does not hold up the shutdown", async () => {
    const keyward = await startKeyward({ flags: ["--shutdown-timeout", "20s"] });
    onTestFinished(() => keyward.stop());
    const over = (httpVersion: "1.1") =>
      createClient(
        AuditService,
        createConnectTransport({
          baseUrl: "http://admin",
          httpVersion,
          nodeOptions: { socketPath: keyward.adminSocket },
        }),
      )
        .watchEvents({})
        [Symbol.asyncIterator]();
    const both = [await watching(over("1.1")), await watching(auditClient(`unix:${keyward.adminSocket}`).watch({}))];
    process.kill(keyward.pid, "SIGTERM");
    for (const watch of both) await watch.next().catch(() => {});
    expect(await keyward.ended).toBe("Keyward ended (exit code 0)");
  });
});

test.each(Object.keys(CLIENTS))("%s can list events", async (name) => {
  const client = CLIENTS[name]?.(served().keyward.admin) ?? served().network;
  onTestFinished(() => client.close());
  const { events } = await client.call(listEvents, { pageSize: 1 }, await served().adminKey("audit:read"));
  expect(events).toHaveLength(1);
});

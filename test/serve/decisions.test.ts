import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { sendHttp1 } from "../admin/support/http.ts";
import { refusedOfJson } from "../admin/support/refused.ts";
import { adminCall, createKey } from "../support/admin-call.ts";
import { createCheckClient } from "../support/check-client.ts";
import { type Described, describeRequest } from "../support/check-request.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";

const CONFIG = `
client_address: { trusted_hops: 1 }
routes:
  - { path: "/v1/**", scopes: [orders:read] }
`;

/** So many connections meet every thread, but for one run in 10^7. */
const CONNECTIONS = 48;

let keyward: Keyward;
beforeAll(async () => {
  keyward = await startKeyward({ config: CONFIG, flags: ["--check-threads", "3"] });
});
afterAll(() => keyward.stop());

/** Has a request judged and returns the id and the reason that its client is told. */
async function judge(request: Described, authz = keyward.authz): Promise<{ id: string; reason: string }> {
  const { metadata, reason } = await checkClientForThisTest(authz).checkBytes(describeRequest(request));
  return { id: String(metadata.decision_id), reason };
}

const bearer = (secret: string) => ["authorization", `Bearer ${secret}`] as const;

const get = (decisionId: string) =>
  adminCall<{ decision: object }>(keyward.adminSocket, "KeyService/GetDecision", { decisionId });

async function refusalOf(decisionId: string, adminKey: string, admin = keyward.admin) {
  const { status, body } = await sendHttp1(admin, {
    path: "/keyward.admin.v1.KeyService/GetDecision",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ decisionId }),
  });
  return status === 200 ? { status } : { status, ...pick(refusedOfJson(body)) };
}

function pick({ reason, message }: { reason: string | undefined; message: string }) {
  return { reason, message };
}

const NOT_FOUND = { status: 404, reason: "DECISION_NOT_FOUND", message: "no denial with that id is remembered" };

test("a denial is found by the id that the client got, with all that is known of it", async () => {
  const { id: keyId, secret } = await createKey(keyward.adminSocket);
  const { id, reason } = await judge({
    method: "PUT",
    path: "/v1/orders?api_key=x",
    host: "api.test:8443",
    headers: [bearer(secret), ["x-forwarded-for", "203.0.113.7, 192.0.2.1"]],
    sourceAddress: "192.0.2.9",
  });
  expect(reason).toBe("insufficient_scope");
  expect(await get(id)).toEqual({
    decision: {
      decisionId: id,
      at: expect.stringMatching(/^20\d\d-.*Z$/),
      reason,
      httpStatus: 403,
      description: "API key does not have required permissions",
      keyId,
      method: "PUT",
      path: "/v1/orders",
      host: "api.test:8443",
      route: "/v1/**",
      clientAddress: "203.0.113.7",
    },
  });
});

test("an allow is not remembered", async () => {
  const { secret } = await createKey(keyward.adminSocket, { scopes: ["orders:read"] });
  const { id, reason } = await judge({ path: "/v1/orders", headers: [bearer(secret)] });
  expect(reason).toBe("allowed");
  await expect(get(id)).rejects.toThrow("404");
});

test("denials of every check thread are found", async () => {
  const clients = Array.from({ length: CONNECTIONS }, () => createCheckClient(keyward.authz));
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  const verdicts = await Promise.all(clients.map((client) => client.check({ path: "/v1/orders" })));
  const ids = verdicts.map(({ metadata }) => String(metadata.decision_id));
  const found = await Promise.all(ids.map(get));
  expect(found).toMatchObject(ids.map((decisionId) => ({ decision: { decisionId, reason: "no_credential" } })));
});

test("what is no request has a denial too", async () => {
  const verdict = await checkClientForThisTest(keyward.authz).checkBytes(Uint8Array.of(0xff));
  const { decision } = await get(String(verdict.metadata.decision_id));
  expect(decision).toMatchObject({ reason: "malformed_request", httpStatus: 400 });
  expect(decision).not.toHaveProperty("path");
});

describe("an admin of a tenant", () => {
  const adminOf = async (tenant: string) =>
    (await adminCall<{ secret: string }>(keyward.adminSocket, "AdminKeyService/CreateAdminKey", { name: "a", tenant }))
      .secret;

  test("finds the denials of its keys, and of no others", async () => {
    const [acme, globex] = [await adminOf("acme"), await adminOf("globex")];
    const { secret } = await createKey(keyward.adminSocket, { tenant: "acme" });
    const { secret: free } = await createKey(keyward.adminSocket);
    const own = await judge({ path: "/v1/x", headers: [bearer(secret)] });
    const ofNone = await judge({ path: "/v1/x", headers: [bearer(free)] });
    const unknown = await judge({ path: "/v1/x", headers: [bearer(secretOf("nobody's"))] });
    expect([own.reason, ofNone.reason, unknown.reason]).toEqual([
      "insufficient_scope",
      "insufficient_scope",
      "unknown_key",
    ]);
    expect(await refusalOf(own.id, acme)).toEqual({ status: 200 });
    const nobodys = "0".repeat(36);
    for (const [id, caller] of [
      [own.id, globex],
      [ofNone.id, acme],
      [unknown.id, acme],
      [nobodys, acme],
    ] as const) {
      expect(await refusalOf(id, caller)).toEqual(NOT_FOUND);
    }
    for (const { id } of [own, ofNone, unknown]) await expect(get(id)).resolves.toHaveProperty("decision");
  });
});

test("a process that serves no checks remembers none of another", async () => {
  const admin = await keywardForThisTest({ flags: ["--mode", "admin"] });
  const { id } = await judge({ path: "/v1/x" });
  const answer = adminCall(admin.adminSocket, "KeyService/GetDecision", { decisionId: id });
  await expect(answer).rejects.toThrow("no denial with that id is remembered");
});

test.each([[""], ["x"], ["0".repeat(35)], ["0".repeat(37)], [secretOf("pasted").slice(0, 36)]])(
  "what is no id is refused by its field: %j",
  async (decisionId) => {
    await expect(get(decisionId)).rejects.toThrow("400");
  },
);

describe("keyward explain --decision", () => {
  test("shows the denial, exits with 3, and has no secret in it", async () => {
    const secret = secretOf("presented");
    const path = `/v1/\u001b[2J/${secret}/x`;
    const { id } = await judge({ path, headers: [bearer(secret)], sourceAddress: "192.0.2.1" });
    const { code, stdout, stderr } = await keyward.cli("explain", "--decision", id);
    expect([code, stderr]).toEqual([3, ""]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["decision", id],
      ["denied", "ambiguous_path (HTTP 400): The path can be read in more than one way"],
      ["time", expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)],
      ["method", "GET"],
      ["path", '"/v1/\\u001b[2J/\\u2026/x"'],
      ["host", "api.test"],
    ]);
    const json = await keyward.cli("explain", "--decision", id, "-o", "json");
    expect(JSON.parse(json.stdout)).toMatchObject({ decision: { decisionId: id, reason: "ambiguous_path" } });
    expect(json.stdout + stdout).not.toContain(secret.slice(3, 13));
  });

  test("exits with 1 where nobody remembers it, and with 2 beside what describes a request", async () => {
    const unknown = await keyward.cli("explain", "--decision", "0".repeat(36));
    expect(unknown).toEqual({ code: 1, stdout: "", stderr: `keyward: ${NOT_FOUND.message}\n` });
    const beside = await keyward.cli("explain", "--decision", "0".repeat(36), "--key-id", "x");
    const message = "keyward: --decision names a request by itself; leave out --key-id\n";
    expect(beside).toEqual({ code: 2, stdout: "", stderr: message });
  });
});

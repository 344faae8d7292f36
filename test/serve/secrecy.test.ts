import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import type { Described } from "../support/check-client.ts";
import { checkClientForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";

/** So much of a secret in one piece is a leak. What lists show of a key (its `start`) has eight. */
const TELLTALE = 10;

/** Every piece of the secret's random part that would give it away. */
function piecesOf(secret: string): string[] {
  const body = secret.slice(secret.indexOf("_") + 1);
  return Array.from({ length: body.length - TELLTALE + 1 }, (_, at) => body.slice(at, at + TELLTALE));
}

function mistyped(secret: string): string {
  return secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
}

/** The ways in which a secret may come, and be told of. */
function waysToPresent(secret: string): Described[] {
  const escaped = `${secret.slice(0, 20)}%41${secret.slice(21)}`;
  return [
    { path: "/v1/orders", headers: [["authorization", `Bearer ${secret}`]] },
    { headers: [["authorization", `ApiKey ${secret}`]] },
    { headers: [["x-api-key", secret]] },
    { headers: [["x-api-key", `${secret},${secret}`]] },
    { headers: [["x-api-key", mistyped(secret)]] },
    { headers: [["authorization", secret]] },
    { headers: [["authorization", `Token ${secret}`]] },
    { headers: [["authorization", `Basic ${btoa(`keyward:${secret}`)}`]] },
    { headers: [["x-auth", secret]] },
    { headers: [["cookie", `api_key=${secret}`]] },
    { headers: [["x-keyward-key-id", secret]] },
    { path: `/v1?api_key=${secret}` },
    { path: `/v1/${secret}` },
    { path: `/v1/${secret}/x?y` },
    { path: `/v1/${"x".repeat(30)}/${"y".repeat(130)}/${secret}` },
    { path: `/v1/${escaped}` },
    { path: `/v1//${secret}` },
    { path: `/v1#${secret}` },
    { path: `/v1;${secret}` },
    { path: secret },
    { host: `${secret}@api.test` },
    { host: `${secret}.api.test` },
    { method: secret },
    { method: secret.toUpperCase() },
    { extensions: { "keyward.scopes": `${secret} "` } },
    { extensions: { [`keyward.${secret}`]: "x" } },
  ];
}

test("no secret that was presented, in whatever way, is in anything that the program writes", async () => {
  const adminSecret = secretOf("the administrator's", "kwadm");
  const keyward = await keywardForThisTest({
    env: { KEYWARD_ADMIN_KEY: adminSecret },
    flags: ["--log-level", "trace"],
    config: 'routes:\n  - { path: "/v1/**", scopes: [api:read] }\n  - { path: "/**", access: authenticated }\n',
  });
  const valid = await createKey(keyward.adminSocket, { scopes: ["api:read"] });
  const poor = await createKey(keyward.adminSocket);
  const revoked = await createKey(keyward.adminSocket);
  await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: revoked.secret, reason: "found in a log" });
  await adminCall(keyward.adminSocket, "KeyService/GetKey", { key: valid.secret });
  const attempts = [
    `${keyward.admin}/keyward.admin.v1.KeyService/ListKeys`,
    `${keyward.ops}/metrics?k=${valid.secret}`,
  ];
  for (const url of attempts) {
    await fetch(`http://${url}`, { headers: { authorization: `Bearer ${mistyped(adminSecret)}` } });
  }

  const secrets = [valid.secret, poor.secret, revoked.secret, secretOf("nobody's")];
  const askOf = async (method: string, body: object) =>
    JSON.stringify(await adminCall(keyward.adminSocket, `KeyService/${method}`, body));
  const bodies: string[] = [];
  const denials: string[] = [];
  const explanations: string[] = [];
  const seen = new Set<string>();
  const shown = () => keyward.log().split('"denied: ').length;
  for (const secret of secrets) {
    const client = checkClientForThisTest(keyward.authz);
    for (const request of waysToPresent(secret)) {
      const verdict = await client.check(request);
      seen.add(verdict.reason);
      bodies.push(JSON.stringify([verdict.body, verdict.headers, verdict.metadata]));
      if (verdict.code !== 0) denials.push(await askOf("GetDecision", { decisionId: verdict.metadata.decision_id }));
    }
    explanations.push(await askOf("ExplainCheck", { key: secret, method: "GET", path: "/v1/orders" }));
    const cut = { key: secret.slice(0, -1), presented: true, method: "GET", path: "/v1/orders" };
    explanations.push(await askOf("ExplainCheck", cut), await askOf("VerifyKey", { key: secret }));
  }
  expect(denials.length).toBeGreaterThan(50);
  expect(explanations).toHaveLength(3 * secrets.length);
  await until("denials were logged", () => shown() > 5);
  expect([...seen].toSorted()).toEqual([
    "allowed",
    "ambiguous_credential",
    "ambiguous_host",
    "ambiguous_path",
    "insufficient_scope",
    "key_revoked",
    "malformed_credential",
    "malformed_request",
    "misconfigured_route",
    "no_credential",
    "unknown_key",
  ]);

  const metrics = await (await fetch(`http://${keyward.ops}/metrics`)).text();
  const files = readdirSync(keyward.folder).filter((name) => /^keyward\.db(-wal|-shm)?$/.test(name));
  expect(files.toSorted()).toEqual(["keyward.db", "keyward.db-shm", "keyward.db-wal"]);
  const places = new Map<string, string>([
    ["stdout", keyward.stdout()],
    ["stderr", keyward.log()],
    ["metrics", metrics],
    ["answers", bodies.join("\n")],
    ["denials", denials.join("\n")],
    ["explanations", explanations.join("\n")],
    ...files.map((name): [string, string] => [name, readFileSync(join(keyward.folder, name), "latin1")]),
  ]);
  const everySecret = [...secrets, ...secrets.map(mistyped), adminSecret, mistyped(adminSecret)];
  const leaks = [...places].flatMap(([place, text]) =>
    everySecret.filter((secret) => piecesOf(secret).some((piece) => text.includes(piece))).map(() => place),
  );
  expect(leaks).toEqual([]);
  expect(keyward.stdout()).toBe("");
});

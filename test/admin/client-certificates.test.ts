import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type CertificateFields, createAuthority, type Issued } from "../support/certificates.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

const authority = createAuthority();
const server = authority.issue();

const IDENTITIES = `
admin_identities:
  - { certificate: "spiffe://example.org/ops", scopes: [keys:read, keys:write, audit:read] }
  - { certificate: "dns:ci.example.org", scopes: [keys:read] }
  - { certificate: "email:bob@example.org", scopes: [keys:read] }
  - { certificate: "cn:legacy", scopes: [keys:read] }
  - { certificate: "cn:acme", scopes: [keys:read, keys:write], tenant: acme }
  - { certificate: "cn:robot", scopes: [keys:read, keys:write], owner: service/robot, grantable_scopes: [api:read] }
`;

let keyward: Keyward;
let adminKey: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyward-"));
  for (const [name, content] of Object.entries({ cert: server.cert, key: server.key, ca: authority.cert })) {
    writeFileSync(join(folder, `${name}.pem`), content);
  }
  const files = ["cert", "key"].map((name) => `${name}: ${join(folder, `${name}.pem`)}`).join(", ");
  const tls = `tls: { admin: { ${files}, client_ca: ${join(folder, "ca.pem")} } }`;
  keyward = await startKeyward({ config: tls + IDENTITIES });
  adminKey = (await keyward.cli("admin-keys", "create", "--name", "x", "-q")).stdout.trim();
});
afterAll(async () => {
  await keyward.stop();
  rmSync(folder, { recursive: true });
});

/** What the admin API answers to a client with a certificate, and with an admin key if one is given. */
async function call(client: Issued, method = "KeyService/ListKeys", body: object = {}, key?: string) {
  const [host, port] = keyward.admin.split(":");
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; answer: Record<string, unknown> }>();
  const headers = { "content-type": "application/json", ...(key !== undefined && { authorization: `Bearer ${key}` }) };
  const tls = { ca: authority.cert, cert: client.cert, key: client.key, agent: false };
  request({ host, port, method: "POST", path: `/keyward.admin.v1.${method}`, headers, ...tls }, async (response) =>
    resolve({ status: response.statusCode ?? 0, answer: JSON.parse(await text(response)) }),
  )
    .on("error", reject)
    .end(JSON.stringify(body));
  return promise;
}

const named = (fields: CertificateFields) => authority.issue({ names: [], alternatives: [], ...fields });

describe("a client certificate", () => {
  test.each<[title: string, fields: CertificateFields]>([
    ["by its URI", { alternatives: ["uri:spiffe://example.org/ops"] }],
    ["by one of several names", { alternatives: ["dns:x", "uri:spiffe://example.org/ops"] }],
    ["by its host name", { alternatives: ["dns:ci.example.org"] }],
    ["by its address", { alternatives: ["email:bob@example.org"] }],
    ["by its common name", { names: ["legacy"] }],
  ])("is known %s", async (_, fields) => {
    expect(await call(named(fields))).toMatchObject({ status: 200 });
  });

  test.each<[title: string, fields: CertificateFields]>([
    ["whose URI is one letter longer", { alternatives: ["uri:spiffe://example.org/ops2"] }],
    ["whose URI is in another case", { alternatives: ["uri:spiffe://example.org/Ops"] }],
    ["whose host name is the URI", { alternatives: ["dns:spiffe://example.org/ops"] }],
    ["whose common name is the URI", { names: ["spiffe://example.org/ops"] }],
    ["whose URI is the host name", { alternatives: ["uri:dns:ci.example.org"] }],
    ["whose host name is a wildcard", { alternatives: ["dns:*.example.org"] }],
    ["whose host name hides the URI", { alternatives: ["dns:x, URI:spiffe://example.org/ops"] }],
    ["with two common names", { names: ["legacy", "legacy"] }],
    ["without any name", {}],
  ])("%s is nobody's", async (_, fields) => {
    expect(await call(named(fields))).toMatchObject({
      status: 401,
      answer: { message: "an admin key is needed: Authorization: Bearer kwadm_…" },
    });
  });

  test("gives the scopes of its entry, and stands in the audit trail by its name", async () => {
    const ops = named({ alternatives: ["uri:spiffe://example.org/ops"] });
    const made = await call(ops, "KeyService/CreateKey", { name: "x" });
    expect(made.answer).toMatchObject({ key: { createdBy: "certificate:spiffe://example.org/ops" } });
    const filter = 'actor = "certificate:spiffe://example.org/ops"';
    const { answer } = await call(ops, "AuditService/ListEvents", { filter });
    expect(answer.events).toHaveLength(1);
    expect(await call(named({ names: ["legacy"] }), "KeyService/CreateKey", { name: "x" })).toMatchObject({
      status: 403,
      answer: { message: "this needs the admin scope keys:write; you have keys:read" },
    });
  });

  test("is bound to the tenant of its entry", async () => {
    const acme = named({ names: ["acme"] });
    expect((await call(acme, "KeyService/CreateKey", { name: "x" })).answer).toMatchObject({ key: { tenant: "acme" } });
    expect(await call(acme, "KeyService/CreateKey", { name: "x", tenant: "globex" })).toMatchObject({ status: 403 });
  });

  test("is bound to the owner of its entry", async () => {
    const robot = named({ names: ["robot"] });
    const made = await call(robot, "KeyService/CreateKey", { name: "x", scopes: ["api:read"] });
    expect(made.answer).toMatchObject({ key: { owner: "service/robot" } });
    expect(await call(robot, "KeyService/CreateKey", { name: "x", scopes: ["api:write"] })).toMatchObject({
      status: 403,
    });
  });

  test("does not make good an admin key that is wrong, and an admin key counts where it is good", async () => {
    const ops = named({ alternatives: ["uri:spiffe://example.org/ops"] });
    const wrong = adminKey.slice(0, -1) + (adminKey.endsWith("0") ? "1" : "0");
    expect(await call(ops, "KeyService/ListKeys", {}, wrong)).toMatchObject({ status: 401 });
    expect(await call(named({}), "SystemService/GetStatus", {}, adminKey)).toMatchObject({ status: 200 });
  });

  test("is known over HTTP/2 as well", async () => {
    const statusOf = async (client: Issued) => {
      const session = connectHttp2(`https://${keyward.admin}`, { ca: authority.cert, ...client });
      onTestFinished(() => session.destroy());
      const stream = session.request({
        ":method": "POST",
        ":path": "/keyward.admin.v1.KeyService/ListKeys",
        "content-type": "application/json",
      });
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
      stream.end("{}");
      return promise;
    };
    expect(await statusOf(named({ names: ["legacy"] }))).toBe(200);
    expect(await statusOf(named({ names: ["legacy2"] }))).toBe(401);
  });

  test.each<[title: string, headers: Readonly<Record<string, string>>, status: number]>([
    ["by nobody's page", {}, 200],
    ["by a page elsewhere", { origin: "https://evil.example" }, 401],
    ["by a page that hides", { origin: "null" }, 401],
  ])("ends a key when it is shown %s", async (_, headers, status) => {
    const made = await call(named({ names: ["acme"] }), "KeyService/CreateKey", { name: "x" });
    const { id } = made.answer.key as { id: string };
    const [host, port] = keyward.admin.split(":");
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const { cert, key } = named({ names: ["acme"] });
    const path = `/api/v1/tenant/acme/api-keys/${id}/revoke`;
    request({ host, port, path, method: "POST", headers, ca: authority.cert, cert, key, agent: false }, (response) =>
      resolve(response.resume().statusCode),
    )
      .on("error", reject)
      .end();
    expect(await promise).toBe(status);
  });

  test("opens the REST façade", async () => {
    const [host, port] = keyward.admin.split(":");
    const ask = async (client: Issued, tenant: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      const path = `/api/v1/tenant/${tenant}/api-keys/list`;
      request({ host, port, path, ca: authority.cert, cert: client.cert, key: client.key, agent: false }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
      return promise;
    };
    expect(await ask(named({ names: ["acme"] }), "acme")).toBe(200);
    expect(await ask(named({ names: ["acme"] }), "globex")).toBe(403);
    expect(await ask(named({ names: ["acm"] }), "acme")).toBe(401);
  });
});

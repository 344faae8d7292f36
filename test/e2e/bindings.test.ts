import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { sendHttp1 } from "./support/client.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const ports: Record<string, number> = {};
const secrets: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway({
    config: `routes:
  - { path: "/t/{tenant}/**", tenant: "{tenant}" }
  - { path: "/projects/{p}/**", owner: "project/{p}" }
  - { path: "/users/{name}", owner: "user/{name}", scopes: [mail:read] }
  - { path: /one/**, tenant: acme }
`,
  });
  ports.shipped = (await gateway.shipped()).port;
  ports["bare, with raw headers"] = (await gateway.bare({ encodeRawHeaders: true })).port;
  ports["bare, with a map of headers"] = (await gateway.bare({ encodeRawHeaders: false })).port;
  const extensions = {
    "/acme": { "keyward.tenant": "acme" },
    "/both": { "keyward.tenant": "acme", "keyward.scopes": "a:read" },
    "/bad/tenant": { "keyward.tenant": "Acme" },
    "/bad/public": { "keyward.tenant": "acme", "keyward.access": "public" },
  };
  ports.entries = (await gateway.bare({ extensions })).port;
  const make = async (name: string, key: Record<string, unknown>) => {
    secrets[name] = (await createKey(gateway.keyward.adminSocket, key)).secret;
  };
  await make("acme", { tenant: "acme", scopes: ["a:read"] });
  await make("acmf", { tenant: "acmf", scopes: ["a:read"] });
  await make("nobody", {});
  await make("apollo", { owner: "project/Apollo" });
  await make("gemini", { owner: "project/Gemini" });
  await make("mail", { owner: "user/a@b.test", scopes: ["mail:read"] });
  await make("mute", { owner: "user/a@b.test" });
});

afterAll(() => gateway.stop());

const ALLOWED = [200, undefined];
const TENANT = [403, "tenant_mismatch"];
const OWNER = [403, "owner_mismatch"];

describe.each(["shipped", "bare, with raw headers", "bare, with a map of headers"])("an Envoy that is %s", (which) => {
  describe.each(VERSIONS)("over %s", (_, send) => {
    test.each([
      ["a tenant's key opens its path", "acme", "/t/acme/orders", ALLOWED],
      ["and no path of a tenant one letter off", "acme", "/t/acmf/orders", TENANT],
      ["the other's key opens that", "acmf", "/t/acmf/orders", ALLOWED],
      ["a key of no tenant opens neither", "nobody", "/t/acme/orders", TENANT],
      ["the tenant in capitals is another", "acme", "/t/ACME/orders", TENANT],
      ["the route in capitals is the same", "acme", "/T/acme/orders", ALLOWED],
      ["an escaped letter is that letter", "acme", "/t/%61cme/orders", ALLOWED],
      ["an escaped capital is that capital", "acme", "/t/%41cme/orders", TENANT],
      ["a tenant in the query is none", "acme", "/t/acmf?/t/acme/", TENANT],
      ["a project's key opens its path", "apollo", "/projects/Apollo/x", ALLOWED],
      ["and not another's", "gemini", "/projects/Apollo/x", OWNER],
      ["nor its own in another case", "apollo", "/projects/apollo/x", OWNER],
      ["a key of no owner opens none", "nobody", "/projects/Apollo/x", OWNER],
      ["a user's key opens its path", "mail", "/users/a@b.test", ALLOWED],
      ["and not without the scope", "mute", "/users/a@b.test", [403, "insufficient_scope"]],
      ["nor by an escape of what need not be escaped", "mail", "/users/a%40b.test", OWNER],
      ["one tenant's path opens to its key", "acme", "/one/x", ALLOWED],
      ["and to no other", "acmf", "/one/x", TENANT],
    ])("%s: %s, %s", async (_title, key, path, expected) => {
      const { status, reason, seen } = await send(ports[which] ?? 0, { path, secret: secrets[key] ?? "" });
      expect([status, reason]).toEqual(expected);
      expect(JSON.stringify(seen ?? "")).not.toContain(secrets[key]);
    });
  });
});

describe("a route of Envoy that names a tenant", () => {
  test.each([
    ["opens to its key", "/acme", "acme", ALLOWED],
    ["opens to no other", "/acme", "acmf", TENANT],
    ["asks for its scopes as well", "/both", "acme", ALLOWED],
    ["looks at the tenant first", "/both", "acmf", TENANT],
    ["is refused for a tenant that is none", "/bad/tenant", "acme", [403, "misconfigured_route"]],
    ["is refused for public beside it", "/bad/public", "acme", [403, "misconfigured_route"]],
  ])("%s: %s, %s", async (_title, path, key, expected) => {
    const { status, reason } = await sendHttp1(ports.entries ?? 0, { path, secret: secrets[key] ?? "" });
    expect([status, reason]).toEqual(expected);
  });

  test("asks for a key", async () => {
    const { status, reason } = await sendHttp1(ports.entries ?? 0, { path: "/acme" });
    expect([status, reason]).toEqual([401, "no_credential"]);
  });
});

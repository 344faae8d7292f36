import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { logged } from "../support/logged.ts";
import { sendHttp1 } from "./support/client.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";

let gateway: Gateway;
let plain: number;
let hosted: number;
const secrets: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway({ config: "default_access: deny\n" });
  const extensions = {
    "/read": { "keyward.scopes": "api:read" },
    "/any": { "keyward.scopes": "api:read api:write", "keyward.match": "any" },
    "/all": { "keyward.scopes": "api:read api:write", "keyward.match": "all" },
    "/key": { "keyward.access": "authenticated" },
    "/open": { "keyward.access": "public" },
    "/shut": { "keyward.access": "deny" },
    "/other": { "something.else": "1" },
    "/bad/name": { "keyward.scope": "api:read" },
    "/bad/case": { "Keyward.scopes": "api:read", "keyward.Scopes": "api:read" },
    "/bad/access": { "keyward.access": "Public" },
    "/bad/match": { "keyward.scopes": "api:read", "keyward.match": "some" },
    "/bad/scope": { "keyward.scopes": "api:read  api:write" },
    "/bad/empty": { "keyward.scopes": "" },
    "/bad/lonely-match": { "keyward.match": "all" },
    "/bad/both": { "keyward.access": "public", "keyward.scopes": "api:read" },
  };
  plain = (await gateway.bare({ extensions })).port;
  hosted = (await gateway.bare({ extensions, host: { "keyward.scopes": "api:read" } })).port;
  const make = async (name: string, scopes: string[]) => {
    secrets[name] = (await createKey(gateway.keyward.adminSocket, { name, scopes })).secret;
  };
  await make("reader", ["api:read"]);
  await make("writer", ["api:read", "api:write"]);
  await make("stranger", ["api:reader"]);
});

afterAll(() => gateway.stop());

async function ask(port: number, path: string, key: string | undefined) {
  const secret = key === undefined ? {} : { secret: secrets[key] ?? "" };
  const { status, reason } = await sendHttp1(port, { path, ...secret });
  return [status, reason];
}

const MISCONFIGURED = [403, "misconfigured_route"];

describe("a route of Envoy that carries its own rule", () => {
  test.each<[string, string, string | undefined, (number | string | undefined)[]]>([
    ["asks for its scope", "/read", "reader", [200, undefined]],
    ["refuses a scope that is one letter off", "/read", "stranger", [403, "insufficient_scope"]],
    ["refuses no key", "/read", undefined, [401, "no_credential"]],
    ["is content with any of several", "/any", "reader", [200, undefined]],
    ["refuses none of several", "/any", "stranger", [403, "insufficient_scope"]],
    ["asks for all of several", "/all", "writer", [200, undefined]],
    ["refuses one of all", "/all", "reader", [403, "insufficient_scope"]],
    ["asks for any key", "/key", "stranger", [200, undefined]],
    ["refuses no key where any will do", "/key", undefined, [401, "no_credential"]],
    ["opens to everybody", "/open", undefined, [200, undefined]],
    ["is closed to everybody", "/shut", "writer", [403, "route_denied"]],
    ["leaves it to the file where no entry is ours", "/other", "writer", [403, "route_denied"]],
    ["is left to the file where it has none", "/nothing", "writer", [403, "route_denied"]],
  ])("%s: %s", async (_, path, key, expected) => {
    expect(await ask(plain, path, key)).toEqual(expected);
  });

  test.each([
    ["an unknown name", "/bad/name"],
    ["a name in another case", "/bad/case"],
    ["a value in another case", "/bad/access"],
    ["an unknown way to match", "/bad/match"],
    ["an empty scope between two spaces", "/bad/scope"],
    ["no scope at all", "/bad/empty"],
    ["a way to match nothing", "/bad/lonely-match"],
    ["access to everybody and a scope", "/bad/both"],
  ])("is refused for %s, with a key and without", async (_, path) => {
    expect(await ask(plain, path, "writer")).toEqual(MISCONFIGURED);
    expect(await ask(plain, path, undefined)).toEqual(MISCONFIGURED);
  });

  test("cannot unset what its host has set: public below a host's scopes is a contradiction", async () => {
    expect(await ask(hosted, "/open", "writer")).toEqual(MISCONFIGURED);
    expect(await ask(hosted, "/nothing", "reader")).toEqual([200, undefined]);
    expect(await ask(hosted, "/nothing", "stranger")).toEqual([403, "insufficient_scope"]);
  });

  test("that is refused is a warning in Keyward's log", async () => {
    await ask(plain, "/bad/name", undefined);
    const line = await logged(gateway.keyward, '"reason":"misconfigured_route"');
    expect(JSON.parse(line)).toMatchObject({ level: "warn" });
  });
});

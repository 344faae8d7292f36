import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
let port: number;
let secret: string;

beforeAll(async () => {
  gateway = await startGateway({
    config: `realm: our api
routes:
  - { path: "/v1/**", scopes: [api:write, api:admin], match: all }
`,
  });
  ({ port } = await gateway.shipped());
  ({ secret } = await createKey(gateway.keyward.adminSocket, { scopes: ["api:read", "api:write"] }));
});

afterAll(() => gateway.stop());

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe.each(VERSIONS)("what a refused client sees over %s", (_, send) => {
  test.each<[string, () => string | undefined, string, number, string | undefined, object]>([
    [
      "no_credential",
      () => undefined,
      "/v1/x",
      401,
      'Bearer realm="our api"',
      { error_description: "Not authenticated" },
    ],
    [
      "malformed_credential",
      () => `${secret}x`,
      "/v1/x",
      401,
      'Bearer realm="our api", error="invalid_token", error_description="The API key is malformed (mistyped)"',
      { error: "invalid_token", error_description: "The API key is malformed (mistyped)" },
    ],
    [
      "insufficient_scope",
      () => secret,
      "/v1/x",
      403,
      'Bearer realm="our api", error="insufficient_scope", error_description="API key does not have required permissions", scope="api:write api:admin"',
      {
        error: "insufficient_scope",
        error_description: "API key does not have required permissions",
        required: ["api:write", "api:admin"],
        provided: ["api:read", "api:write"],
      },
    ],
    [
      "route_denied",
      () => secret,
      "/v2",
      403,
      undefined,
      { error: "access_denied", error_description: "The route is closed" },
    ],
    [
      "ambiguous_path",
      () => secret,
      "/v1/a;b",
      400,
      undefined,
      { error: "invalid_request", error_description: "The path can be read in more than one way" },
    ],
  ])("of %s", async (reason, key, path, status, challenge, body) => {
    const presented = key();
    const answer = await send(port, { path, ...(presented === undefined ? {} : { secret: presented }) });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "x-keyward-reason": reason });
    expect(answer.headers["www-authenticate"]).toBe(challenge);
    const id = answer.headers["x-keyward-decision-id"];
    expect(id).toMatch(uuid);
    expect(JSON.parse(answer.body)).toEqual({ ...body, decision_id: id });
    expect(answer.seen).toBe(undefined);
  });
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../e2e/support/gateway.ts";
import { SIGNING_ENV } from "../support/encryption-keys.ts";

const CLIENT = fileURLToPath(new URL("rest_client.py", import.meta.url));

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({
    env: SIGNING_ENV,
    config: 'routes: [{ path: "/t/{tenant}/**", tenant: "{tenant}", scopes: [api:read] }]',
  });
});

afterAll(() => gateway?.stop());

// Needs Python with `requests`: `pip install requests`, or the package python3-requests.
test.each(["opaque", "jwt"])(
  "a client written with Python's requests creates, lists, uses and revokes an %s key through Envoy",
  async (format) => {
    const { port } = await gateway.shipped();
    const adminKey = (await gateway.keyward.cli("admin-keys", "create", "--name", "back end", "-q")).stdout.trim();
    const args = [CLIENT, `http://${gateway.keyward.admin}`, `http://127.0.0.1:${port}/t/acme/orders`, format];
    const { stdout } = await promisify(execFile)("python3", args, { env: { ...process.env, ADMIN_KEY: adminKey } });
    const { lifetime, ...seen } = JSON.parse(stdout);
    // A token counts in whole seconds, and never lives longer than it may.
    expect(30 * 86_400 - lifetime).toBeOneOf([0, 1]);
    expect(seen).toEqual({
      listed: ["billing"],
      told: false,
      before: [200, null],
      revoked: true,
      after: [401, "key_revoked"],
      wrong: [400, "expires_in_days must be whole days >= 0 and <= 36525, and 0 for never"],
    });
  },
);

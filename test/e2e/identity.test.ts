import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import type { ClientAnswer } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let full: { id: string; secret: string };
let plain: { id: string; secret: string };

beforeAll(async () => {
  gateway = await startGateway({
    config: `routes:
  - { path: /public, access: public }
  - { path: "/**", access: authenticated }
`,
  });
  envoys["raw headers"] = await gateway.bare({ encodeRawHeaders: true });
  envoys["a map of headers"] = await gateway.bare({ encodeRawHeaders: false });
  const { adminSocket } = gateway.keyward;
  full = await createKey(adminSocket, { tenant: "acme", owner: "service/ci", scopes: ["api:read", "api:write"] });
  plain = await createKey(adminSocket);
});

afterAll(() => gateway.stop());

/** What the upstream was told of who calls, whatever the spelling. */
function identityIn({ seen }: ClientAnswer): Record<string, unknown> {
  const entries = Object.entries(seen?.headers ?? { missing: "the upstream was not asked" });
  return Object.fromEntries(entries.filter(([name]) => /keyward|missing/i.test(name)));
}

const spoofed = [
  ["x-keyward-key-id", "key_evil"],
  ["X-Keyward-Owner", "user/evil"],
  ["x-keyward-tenant", "evil"],
  ["x-keyward-scopes", "admin:all"],
  ["x_keyward_key_id", "key_evil"],
  ["X_KEYWARD_OWNER", "user/evil"],
  ["x.keyward.tenant", "evil"],
  ["x-keyward_scopes", "admin:all"],
  ["x_keyward.key-id", "key_evil"],
] as const;

describe.each(["raw headers", "a map of headers"])("an Envoy that sends %s and takes nothing off itself", (which) => {
  describe.each(VERSIONS)("over %s", (_, send) => {
    const port = () => envoys[which]?.port ?? 0;

    test("the upstream is told whose key it was", async () => {
      expect(identityIn(await send(port(), { secret: full.secret }))).toEqual({
        "x-keyward-key-id": full.id,
        "x-keyward-owner": "service/ci",
        "x-keyward-tenant": "acme",
        "x-keyward-scopes": "api:read api:write",
      });
    });

    test("what a client claims is replaced, in every spelling", async () => {
      expect(identityIn(await send(port(), { secret: full.secret, headers: spoofed }))).toEqual({
        "x-keyward-key-id": full.id,
        "x-keyward-owner": "service/ci",
        "x-keyward-tenant": "acme",
        "x-keyward-scopes": "api:read api:write",
      });
    });

    test("what a client claims and the key does not have is removed", async () => {
      const answer = await send(port(), { secret: plain.secret, headers: spoofed });
      expect(identityIn(answer)).toEqual({ "x-keyward-key-id": plain.id });
    });

    test("a client that claims the same thing twice is not believed either", async () => {
      const twice = [...spoofed, ["x-keyward-key-id", "key_worse"], ["x-keyward-tenant", "worse"]] as const;
      const answer = await send(port(), { secret: plain.secret, headers: twice });
      expect(identityIn(answer)).toEqual({ "x-keyward-key-id": plain.id });
    });

    test("nobody is anybody on a public route", async () => {
      expect(identityIn(await send(port(), { path: "/public", headers: spoofed }))).toEqual({});
      const known = await send(port(), { path: "/public", headers: spoofed, secret: full.secret });
      expect(identityIn(known)).toEqual({});
    });

    test("a header that only looks like one of ours is left alone", async () => {
      const { seen } = await send(port(), { secret: plain.secret, headers: [["x-keywardkey-id", "theirs"]] });
      expect(seen?.headers["x-keywardkey-id"]).toBe("theirs");
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import type { ClientAnswer } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let key: { id: string; secret: string };

beforeAll(async () => {
  gateway = await startGateway({
    config: `routes:
  - { path: /public, access: public }
  - { path: "/**", access: authenticated }
`,
  });
  const allowedHeaders = ["x-api-key"];
  envoys["raw headers"] = await gateway.bare({ allowedHeaders });
  envoys["a map of headers"] = await gateway.bare({ allowedHeaders, encodeRawHeaders: false });
  key = await createKey(gateway.keyward.adminSocket, { owner: "service/ci" });
});

afterAll(() => gateway.stop());

/** What the upstream received that tells who calls, or could be a key. */
function toldIn({ seen }: ClientAnswer): Record<string, unknown> {
  const entries = Object.entries(seen?.headers ?? { missing: "the upstream was not asked" });
  return Object.fromEntries(entries.filter(([name]) => /keyward|authorization|api-key|missing/i.test(name)));
}

/** In every separator's place each of the three, at least once; Keyward is shown none of them. */
const spoofed = [
  ["x-keyward-key-id", "key_evil"],
  ["x_keyward-key-id", "key_evil"],
  ["X-Keyward.Key_Id", "key_evil"],
  ["x.keyward_key.id", "key_evil"],
  ["x-keyward-owner", "user/evil"],
  ["X_KEYWARD_OWNER", "user/evil"],
  ["x.keyward.owner", "user/evil"],
  ["x-keyward_tenant", "evil"],
  ["x_keyward.tenant", "evil"],
  ["x-keyward-scopes", "admin:all"],
  ["x.keyward-scopes", "admin:all"],
] as const;

describe.each(["raw headers", "a map of headers"])("an Envoy that shows one header only, as %s", (which) => {
  describe.each(VERSIONS)("over %s", (_, send) => {
    const port = () => envoys[which]?.port ?? 0;
    const identity = () => ({ "x-keyward-key-id": key.id, "x-keyward-owner": "service/ci" });

    test("the upstream is told whose key it was, and nothing of what a client claims", async () => {
      const headers = [...spoofed, ["x-api-key", key.secret]] as const;
      expect(toldIn(await send(port(), { headers }))).toEqual(identity());
    });

    test("a second copy of the key, which Keyward is not shown, does not reach the upstream", async () => {
      const headers = [["x-api-key", key.secret]] as const;
      expect(toldIn(await send(port(), { headers, secret: key.secret }))).toEqual(identity());
    });

    test("nobody is anybody on a public route", async () => {
      expect(toldIn(await send(port(), { path: "/public", headers: spoofed }))).toEqual({});
    });

    test.each([
      ["/v1/x", 200, undefined],
      ["/v1/x%21", 200, undefined],
      ["/v1/x?!", 200, undefined],
      ["/v1/x!", 400, "ambiguous_path"],
    ])("%s is answered with %i", async (path, status, reason) => {
      const answer = await send(port(), { path, headers: [["x-api-key", key.secret]] });
      expect([answer.status, answer.reason, answer.seen?.path]).toEqual([
        status,
        reason,
        status === 200 ? path : undefined,
      ]);
    });

    test("a key that is presented where Keyward cannot see it is none, and an unknown one is refused", async () => {
      const unseen = await send(port(), { secret: key.secret });
      expect([unseen.status, unseen.reason]).toEqual([401, "no_credential"]);
      const unknown = await send(port(), { headers: [["x-api-key", secretOf("nobody's")]] });
      expect([unknown.status, unknown.reason]).toEqual([401, "unknown_key"]);
    });
  });
});

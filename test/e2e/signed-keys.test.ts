import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isOwnToken } from "../../src/key/token.ts";
import { createKey } from "../support/admin-call.ts";
import { tokenOf } from "../support/sample-keys.ts";
import type { ClientRequest } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let signed: string;
let opaque: string;

beforeAll(async () => {
  gateway = await startGateway({
    env: { KEYWARD_ENCRYPTION_KEY: randomBytes(32).toString("base64") },
    config: `credentials:
  - { from: bearer }
  - { from: header, name: x-api-key }
  - { from: basic, username: keyward }
  - { from: query, name: api_key }
  - { from: cookie, name: api_key }
routes:
  - { path: /open, access: public }
  - { path: /passed, access: authenticated, forward_credential: true }
  - { path: /kept, access: authenticated }
`,
  });
  envoys.shipped = await gateway.shipped();
  envoys["bare, with raw headers"] = await gateway.bare({ encodeRawHeaders: true });
  envoys["bare, with a map of headers"] = await gateway.bare({ encodeRawHeaders: false });
  signed = (await createKey(gateway.keyward.adminSocket, { format: "KEY_FORMAT_JWT", alg: "ES256" })).secret;
  opaque = (await createKey(gateway.keyward.adminSocket)).secret;
});

afterAll(() => gateway.stop());

const FOREIGN = tokenOf("a", { alg: "ES256", kid: "1" });

const basic = (secret: string) => `Basic ${Buffer.from(`keyward:${secret}`).toString("base64")}`;

/** Each place of a key; and what the upstream sees there where it is passed on, and where it is not. */
const places: [
  place: string,
  sent: (secret: string) => ClientRequest,
  passed: (secret: string) => object,
  left: object,
][] = [
  [
    "a bearer token",
    (secret) => ({ secret }),
    (secret) => ({ authorization: `Bearer ${secret}` }),
    { authorization: undefined },
  ],
  [
    "a header",
    (secret) => ({ headers: [["x-api-key", secret]] }),
    (secret) => ({ "x-api-key": secret }),
    { "x-api-key": undefined },
  ],
  [
    "Basic",
    (secret) => ({ headers: [["authorization", basic(secret)]] }),
    (secret) => ({ authorization: basic(secret) }),
    { authorization: undefined },
  ],
  [
    "a query",
    (secret) => ({ path: `?a=1&api_key=${secret}` }),
    (secret) => ({ query: `?a=1&api_key=${secret}` }),
    { query: "?a=1" },
  ],
  [
    "a query under another spelling",
    (secret) => ({ path: `?a=1&api%5Fkey=${secret}` }),
    (secret) => ({ query: `?a=1&api%5Fkey=${secret}` }),
    { query: "?a=1" },
  ],
  [
    "a cookie",
    (secret) => ({ headers: [["cookie", `a=1.2.3; api_key=${secret}`]] }),
    (secret) => ({ cookie: `a=1.2.3; api_key=${secret}` }),
    { cookie: "a=1.2.3" },
  ],
];

test("what the admin API signs has the form that the check path knows as ours", () => {
  expect(isOwnToken(signed)).toBe(true);
  expect(isOwnToken(opaque)).toBe(false);
});

describe.each(["shipped", "bare, with raw headers", "bare, with a map of headers"])("an Envoy that is %s", (which) => {
  describe.each(VERSIONS)("over %s", (_, send) => {
    const ask = async (path: string, { path: query = "", ...request }: ClientRequest) => {
      const answer = await send(envoys[which]?.port ?? 0, { ...request, path: path + query });
      const { authorization, cookie, "x-api-key": header } = answer.seen?.headers ?? {};
      const seen = { authorization, cookie, "x-api-key": header, query: answer.seen?.path.slice(path.length) };
      return { status: answer.status, reason: answer.reason, seen, text: JSON.stringify(answer.seen ?? "") };
    };
    /** The part of a secret that is in every form in which it could be passed on but Basic. */
    const partOf = (secret: string) => secret.slice(20, 60);

    test.each(places)("a signed key in %s reaches the upstream where the route passes it on", async (...row) => {
      const [, sent, passed] = row;
      const { status, seen } = await ask("/passed", sent(signed));
      expect(status).toBe(200);
      expect(seen).toMatchObject(passed(signed));
    });

    test.each(places)("a signed key in %s is taken out elsewhere", async (...row) => {
      const [, sent, , left] = row;
      const { status, seen, text } = await ask("/kept", sent(signed));
      expect(status).toBe(200);
      expect(seen).toMatchObject(left);
      expect(text).not.toContain(partOf(signed));
    });

    test.each(places)("an opaque key in %s is taken out even where the route passes signed ones on", async (...row) => {
      const [, sent, , left] = row;
      const { status, seen, text } = await ask("/passed", sent(opaque));
      expect(status).toBe(200);
      expect(seen).toMatchObject(left);
      expect(text).not.toContain(partOf(opaque));
    });

    test.each(places)(
      "on a public route a signed key in %s is taken out, and another's token passes",
      async (...row) => {
        const [, sent, passed, left] = row;
        const ours = await ask("/open", sent(signed));
        expect(ours.status).toBe(200);
        expect(ours.seen).toMatchObject(left);
        const foreign = await ask("/open", sent(FOREIGN));
        expect(foreign.status).toBe(200);
        expect(foreign.seen).toMatchObject(passed(FOREIGN));
      },
    );

    test.each(places)("another's token in %s is unknown, and ours without its signature malformed", async (...row) => {
      const [, sent] = row;
      const unsigned = signed.slice(0, signed.lastIndexOf(".") + 1);
      const answers = [await ask("/passed", sent(FOREIGN)), await ask("/passed", sent(unsigned))];
      expect(answers.map(({ status, reason }) => [status, reason])).toEqual([
        [401, "unknown_key"],
        [401, "malformed_credential"],
      ]);
    });
  });
});

test("no signed key stands in any log of Keyward", () => {
  expect(gateway.keyward.log()).not.toContain(signed.slice(20, 60));
});

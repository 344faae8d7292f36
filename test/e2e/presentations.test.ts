import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import { type ClientRequest, sendHttp1, sendHttp2 } from "./support/client.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";
import { VERSIONS } from "./support/versions.ts";

let gateway: Gateway;
const envoys: Record<string, EnvoyInFront> = {};
let a: string;
let b: string;

beforeAll(async () => {
  gateway = await startGateway({
    config: `credentials:
  - { from: bearer }
  - { from: basic, username: keyward }
  - { from: query, name: api_key }
  - { from: cookie, name: api_key }
expiry_warning: 7d
`,
  });
  envoys.shipped = await gateway.shipped();
  envoys["bare, with raw headers"] = await gateway.bare({ encodeRawHeaders: true });
  envoys[MAPPED] = await gateway.bare({ encodeRawHeaders: false });
  a = (await createKey(gateway.keyward.adminSocket)).secret;
  b = (await createKey(gateway.keyward.adminSocket)).secret;
});

afterAll(() => gateway.stop());

const MAPPED = "bare, with a map of headers";

const basic = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString("base64");
const authorization = (user: string, password: string) =>
  ({ headers: [["authorization", `Basic ${basic(user, password)}`]] }) as const;
const cookies = (...values: string[]): ClientRequest => ({
  headers: values.map((value) => ["cookie", value] as const),
});

/** What a request leads to, and for an allow what is left of path and cookies. */
interface Expected {
  readonly status: number;
  readonly reason?: string;
  readonly path?: string;
  readonly cookie?: string | undefined;
}

type Row = [title: string, request: () => ClientRequest, expected: Expected];

const UNKNOWN = { status: 401, reason: "unknown_key" };
const MALFORMED = { status: 401, reason: "malformed_credential" };
const AMBIGUOUS = { status: 400, reason: "ambiguous_credential" };
const NONE = { status: 401, reason: "no_credential" };
const STRANGER = secretOf("a stranger's");

const rows: Row[] = [
  ["Basic with the user name opens", () => authorization("keyward", a), { status: 200 }],
  ["Basic with another user name does not", () => authorization("keywerd", a), UNKNOWN],
  ["Basic with a key that nobody made does not", () => authorization("keyward", STRANGER), UNKNOWN],
  ["Basic with a key cut short does not", () => authorization("keyward", a.slice(0, -1)), MALFORMED],
  [
    "Basic without a colon does not",
    () => ({ headers: [["authorization", `Basic ${Buffer.from(a).toString("base64")}`]] }),
    MALFORMED,
  ],
  ["Basic with a zero byte does not", () => authorization("keyward", `${a}\0`), MALFORMED],
  ["Basic with a user name of 10,000 characters does not", () => authorization("k".repeat(10_000), a), UNKNOWN],
  [
    "Basic in another case opens",
    () => ({ headers: [["Authorization", `bASIC ${basic("keyward", a)}`]] }),
    { status: 200 },
  ],

  ["a key in the query opens", () => ({ path: `/x?api_key=${a}` }), { status: 200, path: "/x" }],
  ["a key in another parameter does not", () => ({ path: `/x?api-key=${a}` }), NONE],
  [
    "a key among other parameters opens",
    () => ({ path: `/x?q=1&api_key=${a}&r=2` }),
    { status: 200, path: "/x?q=1&r=2" },
  ],
  [
    "a key among other parameters, cut short, does not",
    () => ({ path: `/x?q=1&api_key=${a.slice(0, -1)}&r=2` }),
    MALFORMED,
  ],
  ["a key under an escaped name opens", () => ({ path: `/x?q=1&api%5Fkey=${a}` }), { status: 200, path: "/x?q=1" }],
  ["a key under an escape in lower case opens", () => ({ path: `/x?api%5fkey=${a}` }), { status: 200, path: "/x" }],
  ["a name that is escaped twice does not", () => ({ path: `/x?api%255Fkey=${a}` }), NONE],
  ["a name in another case does not", () => ({ path: `/x?Api_key=${a}` }), NONE],
  ["the same key in two parameters does not", () => ({ path: `/x?api_key=${a}&api_key=${a}` }), AMBIGUOUS],
  ["two keys in two spellings do not", () => ({ path: `/x?api_key=${a}&api%5Fkey=${b}` }), AMBIGUOUS],
  ["an empty parameter does not", () => ({ path: "/x?api%5Fkey=" }), MALFORMED],
  [
    "a key whose letters are escaped opens",
    () => ({ path: `/x?api_key=%6B${a.slice(1)}` }),
    { status: 200, path: "/x" },
  ],

  ["a cookie alone opens", () => cookies(`api_key=${a}`), { status: 200, cookie: undefined }],
  ["a cookie of another name does not", () => cookies(`api-key=${a}`), NONE],
  [
    "one cookie of several opens",
    () => cookies(`theme=dark; api_key=${a}; lang=en`),
    { status: 200, cookie: "theme=dark; lang=en" },
  ],
  ["one of several, cut short, does not", () => cookies(`theme=dark; api_key=${a.slice(0, -1)}; lang=en`), MALFORMED],
  ["the last cookie opens", () => cookies(`theme="da rk"; api_key=${a}`), { status: 200, cookie: 'theme="da rk"' }],
  ["a cookie in quotes does not", () => cookies(`api_key="${a}"`), MALFORMED],
  ["the same key in two cookies does not", () => cookies(`api_key=${a}; api_key=${a}`), AMBIGUOUS],
  ["two keys in two cookies do not", () => cookies(`api_key=${a}; api_key=${b}`), AMBIGUOUS],
  ["a cookie in another case does not", () => cookies(`API_KEY=${a}`), NONE],

  [
    "the same key in every place opens, and is nowhere left",
    () => ({
      path: `/x?q=1&api_key=${a}`,
      headers: [
        ["authorization", `Basic ${basic("keyward", a)}`],
        ["cookie", `theme=dark; api_key=${a}`],
      ],
    }),
    { status: 200, path: "/x?q=1", cookie: "theme=dark" },
  ],
  [
    "two keys in two places do not",
    () => ({ path: `/x?api_key=${a}`, headers: [["cookie", `api_key=${b}`]] }),
    AMBIGUOUS,
  ],
];

/** Every form in which a request could have carried one of the secrets, down to a part that is long enough to tell. */
function tracesOf(seen: unknown): string[] {
  const text = JSON.stringify(seen ?? "");
  const parts = [a, b].flatMap((secret) => [secret.slice(3, 40), secret.slice(15)]);
  const encoded = [basic("keyward", a), basic("keywerd", a)].map((whole) => whole.slice(16, 60));
  return [...parts, ...encoded].filter((part) => text.includes(part));
}

describe.each(["shipped", "bare, with raw headers", MAPPED])("an Envoy that is %s", (which) => {
  const port = () => envoys[which]?.port ?? 0;

  describe.each(VERSIONS)("over %s", (_, send) => {
    test.each(rows)("%s", async (_title, request, { status, reason, ...left }) => {
      const answer = await send(port(), request());
      expect([answer.status, answer.reason]).toEqual([status, reason]);
      const { seen } = answer;
      expect(tracesOf(seen)).toEqual([]);
      const rest = { path: seen?.path, cookie: seen?.headers.cookie };
      expect(rest).toMatchObject(left);
      expect(Object.keys(seen?.headers ?? {})).not.toContain("authorization");
    });

    test("a credential that is not ours goes on to the upstream beside a key", async () => {
      const { status, seen } = await send(port(), { path: `/x?api_key=${a}`, headers: [["cookie", "theme=dark"]] });
      expect([status, seen?.path, seen?.headers.cookie]).toEqual([200, "/x", "theme=dark"]);
    });
  });

  // With raw headers Keyward sees two lines, of which only one could be rewritten; in a map they are one header.
  test.each<[title: string, lines: () => string[], folded: string | undefined]>([
    ["the key in the first", () => [`api_key=${a}`, "theme=dark"], "theme=dark"],
    ["the key in the last", () => ["theme=dark", `api_key=${a}`], "theme=dark"],
    ["the key amid the last", () => ["theme=dark", `lang=en; api_key=${a}; x=y`], "theme=dark; lang=en; x=y"],
    ["the key in both", () => [`api_key=${a}`, `api_key=${a}`], undefined],
    ["two keys", () => [`api_key=${a}`, `api_key=${b}`], undefined],
  ])("two Cookie lines over HTTP/1.1 bring no secret to the upstream: %s", async (_, lines, folded) => {
    const { status, reason, seen } = await sendHttp1(port(), cookies(...lines()));
    const refused = folded === undefined || which !== MAPPED;
    expect([status, reason]).toEqual(refused ? [400, "ambiguous_credential"] : [200, undefined]);
    expect(seen?.headers.cookie).toBe(refused ? undefined : folded);
    expect(tracesOf(seen)).toEqual([]);
  });

  test("two Cookie lines without a key go on beside a key elsewhere", async () => {
    const { headers = [] } = cookies("theme=dark", "lang=en");
    const { status, seen } = await sendHttp1(port(), { headers, secret: a });
    expect(status).toBe(200);
    expect(seen?.headers.cookie).toMatch(/^theme=dark[;,] ?lang=en$/);
    expect(tracesOf(seen)).toEqual([]);
  });

  test("cookies in fields of their own over HTTP/2 are one header", async () => {
    const { status, seen } = await sendHttp2(port(), cookies("theme=dark", `api_key=${a}`, "lang=en"));
    expect([status, seen?.headers.cookie]).toEqual([200, "theme=dark; lang=en"]);
    expect(tracesOf(seen)).toEqual([]);
  });
});

describe("the end of a key, through the shipped Envoy", () => {
  const port = () => envoys.shipped?.port ?? 0;
  const call = (method: string, request: object) =>
    adminCall(gateway.keyward.adminSocket, `KeyService/${method}`, request);
  const made = (key: Record<string, unknown>) => createKey(gateway.keyward.adminSocket, key);
  const WARNINGS = ["sunset", "x-keyward-key-expires-in"];

  describe.each(VERSIONS)("over %s", (_, send) => {
    test("is told to the client while it is near, and not to the upstream", async () => {
      const end = Math.floor(Date.now() / 1000) * 1000 + 3_600_000;
      const { secret } = await made({ expiresAt: new Date(end).toISOString() });
      const { status, headers, seen } = await send(port(), { secret });
      expect([status, headers.sunset]).toEqual([200, new Date(end).toUTCString()]);
      const left = Number(headers["x-keyward-key-expires-in"]);
      expect(left).toBeGreaterThan(3_500);
      expect(left).toBeLessThanOrEqual(3_600);
      expect(Object.keys(seen?.headers ?? {}).filter((name) => WARNINGS.includes(name))).toEqual([]);
    });

    test.each([
      ["far", { expiresIn: `${8 * 86_400}s` }],
      ["never", {}],
    ])("is not told while it is %s", async (_title, key) => {
      const { secret } = await made(key);
      const { status, headers } = await send(port(), { secret });
      expect(status).toBe(200);
      expect(Object.keys(headers).filter((name) => WARNINGS.includes(name))).toEqual([]);
    });

    test("a disabled key is refused by the very next request, and opens once it is enabled", async () => {
      const { id, secret } = await made({});
      const answers = [await send(port(), { secret })];
      await call("DisableKey", { key: id });
      answers.push(await send(port(), { secret }));
      await call("EnableKey", { key: id });
      answers.push(await send(port(), { secret }));
      expect(answers.map(({ status, reason }) => [status, reason])).toEqual([
        [200, undefined],
        [401, "key_disabled"],
        [200, undefined],
      ]);
    });

    test("a rotated key opens beside its successor, is warned, and without grace opens no more", async () => {
      const { id, secret } = await made({});
      const { secret: next = "", key } = await call("RotateKey", { key: id, grace: "3600s" });
      const old = await send(port(), { secret });
      const successor = await send(port(), { secret: next });
      expect([old.status, successor.status]).toEqual([200, 200]);
      expect([old.seen?.headers["x-keyward-key-id"], successor.seen?.headers["x-keyward-key-id"]]).toEqual([
        id,
        key.id,
      ]);
      expect(Number(old.headers["x-keyward-key-expires-in"])).toBeGreaterThan(3_500);
      expect(successor.headers).not.toHaveProperty("sunset");
      const { secret: last = "" } = await call("RotateKey", { key: key.id, grace: "0s" });
      const ended = await send(port(), { secret: next });
      expect([ended.status, ended.reason]).toEqual([401, "key_revoked"]);
      expect((await send(port(), { secret: last })).status).toBe(200);
    });
  });
});

test("no secret stands in any log", () => {
  const texts = [gateway.keyward.log(), ...Object.values(envoys).map(({ accessLog }) => accessLog())];
  expect(texts.filter((text) => [a, b].some((secret) => text.includes(secret.slice(12))))).toEqual([]);
});

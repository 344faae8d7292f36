import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Draft } from "../../../src/cli/import/draft.ts";
import { readFile } from "../../../src/cli/import/read-file.ts";
import type { Refused } from "../../../src/cli/import/source.ts";
import { SOURCES } from "../../../src/cli/import/sources.ts";

const FOLDER = new URL("../../fixtures/import/", import.meta.url);

/** The keys of an export, without what is empty; the hash as hex. */
async function readFixture(file: string, from: string): Promise<object[]> {
  const source = SOURCES[from];
  if (source === undefined) throw new Error(`no source ${from}`);
  const found: object[] = [];
  for await (const record of readFile(fileURLToPath(new URL(file, FOLDER)), source)) found.push(shown(record));
  return found;
}

function shown(record: Draft | Refused): object {
  if ("problem" in record) return record;
  const entries = Object.entries({ ...record, hash: Buffer.from(record.hash.value).toString("hex") });
  const isTold = (value: unknown) => value !== undefined && value !== false && JSON.stringify(value) !== "[]";
  return Object.fromEntries(entries.filter(([, value]) => isTold(value)));
}

function sha256(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

const secrets = JSON.parse(readFileSync(new URL("better-auth-secrets.json", FOLDER), "utf8")) as Record<string, string>;
const owner = { id: "ipd3zjTRu6mcLGZ1r2z1x1mekIBtwIaH", type: "user" };
const config = { "better-auth.config": "default" };

describe("keys that the library better-auth has made", () => {
  test.each([
    { file: "better-auth-apikey.json", lines: [2, 26, 50, 74] },
    { file: "better-auth-apikey.csv", lines: [2, 3, 4, 5] },
  ])("are read from $file", async ({ file, lines }) => {
    expect(await readFixture(file, "better-auth")).toEqual([
      {
        line: lines[0],
        hash: sha256(secrets.plain ?? ""),
        start: "ElSWPg",
        name: "plain",
        owner,
        // What the library says of keys for which nothing is said.
        rateLimit: { requests: 10, windowMs: 86_400_000 },
        metadata: { ...config, "better-auth.id": "j5GvTligmoNilnZ2PXgHxWTzoYtFLIXZ" },
      },
      {
        line: lines[1],
        hash: sha256(secrets["ci, the pipeline"] ?? ""),
        start: "acme_L",
        name: "ci, the pipeline",
        owner,
        scopes: ["orders:read", "orders:write", "billing:read"],
        expiresAt: new Date("2086-11-06T16:17:24.380Z"),
        rateLimit: { requests: 100, windowMs: 60_000 },
        metadata: { ...config, "better-auth.id": "TpXBop7MbczKRBGoPIpe3hxh78QK5Yu4", team: "payments", tier: "2" },
      },
      {
        line: lines[2],
        hash: sha256(secrets["without limit"] ?? ""),
        start: "GVwLWI",
        name: "without limit",
        owner,
        metadata: { ...config, "better-auth.id": "d8hltaG5FAgxUbT2QORc6QqYWfj542vX" },
      },
      {
        line: lines[3],
        hash: sha256(secrets["switched off"] ?? ""),
        start: "KQHUsI",
        name: "switched off",
        owner,
        metadata: { ...config, "better-auth.id": "5qQ2uxlFzIikxPe5aymU8N3u4t9Gn1So" },
        disabled: true,
      },
    ]);
  });
});

describe("keys of other systems are read from", () => {
  test("what deck dumps, each with its consumer and the consumer's groups, and numbers as they are written", async () => {
    const consumer = { line: 6, name: "partner-a", owner: { id: "partner-a", type: "service" } };
    const scopes = ["orders:read", "orders:write"];
    expect(await readFixture("kong-deck.yaml", "kong")).toEqual([
      {
        ...consumer,
        scopes,
        hash: sha256("4174348a-9222-4e81-b33e-5d72d2fd7f1e"),
        start: "4174348a",
        metadata: { "kong.id": "6b9443ae-73f0-4db6-af00-4f1e3a415dbb", "kong.custom_id": "4711" },
      },
      {
        ...consumer,
        scopes,
        hash: sha256("00123456789012345678"),
        start: "00123",
        metadata: { "kong.id": "0d1c9f0e-7d20-4a3e-9b3f-2d9f6a1f4b11", "kong.custom_id": "4711" },
      },
    ]);
  });

  test("what kong config db_export writes, whose lists refer to each other", async () => {
    expect(await readFixture("kong-db-export.yml", "kong")).toEqual([
      {
        line: 4,
        hash: sha256("8f14e45f-ceea-467a-a866-051f1c4a1e3a"),
        start: "8f14e45f",
        name: "partner-c",
        owner: { id: "partner-c", type: "service" },
        scopes: ["reports:read"],
        metadata: { "kong.id": "1d1c9f0e-7d20-4a3e-9b3f-2d9f6a1f4b12" },
      },
    ]);
  });

  test("what Kong's GET /key-auths answers, with the end that its ttl means", async () => {
    expect(await readFixture("kong-key-auths.json", "kong")).toMatchObject([
      {
        line: 3,
        hash: sha256("vAnEP4XCvMZ2LnPdxxpAtZJyPBGRmmmm"),
        owner: { id: "e7a2b6fe-5b2b-4a7e-9a5c-6a3d5e9f3c77", type: "service" },
        expiresAt: new Date("2099-01-02T00:00:00Z"),
      },
    ]);
  });

  test("the Admin API of APISIX, credentials of their own included, without those of other plugins", async () => {
    const jack = { id: "jack", type: "service" };
    expect(await readFixture("apisix-consumers.json", "apisix")).toEqual([
      {
        line: 4,
        hash: sha256("auth-one-of-jack-0001"),
        start: "auth-",
        name: "jack",
        owner: jack,
        note: "the mobile app",
        metadata: { team: "mobile" },
        lost: ["plugins of its own (limit-count)"],
      },
      {
        line: 17,
        hash: sha256("auth-two-of-jack-0002"),
        start: "auth-",
        name: "jack/key-auth-two",
        owner: jack,
        metadata: {},
      },
    ]);
  });

  test("the configuration file of APISIX", async () => {
    expect(await readFixture("apisix.yaml", "apisix")).toMatchObject([
      { line: 2, name: "jane", hash: sha256("auth-one-of-jane-0001") },
      { line: 6, name: "john/primary", hash: sha256("auth-one-of-john-0001") },
    ]);
  });

  test("Secrets of Envoy Gateway: each entry is a client", async () => {
    expect(await readFixture("envoy-gateway-secrets.yaml", "envoy")).toEqual(
      ["client-1", "client-2"].map((client) => ({
        line: 4,
        hash: sha256(`supersecret-of-${client}`),
        start: "super",
        name: client,
        owner: { id: client, type: "service" },
        metadata: { "envoy.secret": "default/apikey-secret" },
      })),
    );
  });

  test("Secrets of Authorino: those with its label and the entry api_key", async () => {
    expect(await readFixture("authorino-secrets.yaml", "authorino")).toEqual([
      {
        line: 1,
        hash: sha256("ndyBzreUzF4zqDQsqSPMHkRhriEOtcRy"),
        start: "ndyBzreU",
        name: "api-key-1",
        owner: { id: "api-key-1", type: "service" },
        metadata: { group: "friends", "authorino.secret": "tutorial/api-key-1" },
      },
    ]);
  });

  test("what Unkey's apis.listKeys answers for recoverable keys", async () => {
    expect(await readFixture("unkey-list-keys.json", "unkey")).toEqual([
      {
        line: 4,
        hash: sha256("prod_8Hg4kLm2nOpQrStUvWxYzAbC"),
        start: "prod_8Hg4",
        name: "Payment Service Production Key",
        owner: { id: "user_abc123", type: "user" },
        scopes: ["documents.read", "documents.write"],
        expiresAt: new Date("2099-01-01T00:00:00Z"),
        rateLimit: { requests: 100, windowMs: 60_000 },
        metadata: {
          plan: "pro",
          limits: '{"storage":500}',
          "unkey.id": "key_2cGKbMxRyIzhCxo1Idjz8q",
          "unkey.roles": "editor",
        },
      },
    ]);
  });

  test("what Unkey's keys.migrateKeys takes", async () => {
    expect(await readFixture("unkey-migrate-keys.json", "unkey")).toEqual([
      {
        line: 5,
        hash: sha256("prod_migratedKeyOfAnEarlierTime01"),
        name: "Migrated",
        owner: { id: "user_1234abcd", type: "user" },
        metadata: {},
        disabled: true,
      },
    ]);
  });
});

describe("of records that are no keys, or more than Keyward can keep, is told", () => {
  const HASH = Buffer.alloc(32, 7).toString("base64");
  const one = (from: string, value: unknown, list = "") => {
    const reader = SOURCES[from]?.createReader();
    return [...(reader?.read({ line: 1, list, value }) ?? []), ...(reader?.end?.() ?? [])];
  };

  test.each<[string, string, object, string]>([
    ["a number of uses left in Unkey", "unkey", { hash: HASH, credits: { remaining: 5 } }, "a number of uses left (5)"],
    ["the same in its table", "unkey", { hash: HASH, remaining_requests: "0" }, "a number of uses left (0)"],
    [
      "two rate limits in Unkey",
      "unkey",
      { hash: HASH, ratelimits: [1, 2].map((limit) => ({ limit, duration: 1000, autoApply: true })) },
      "rate limits other than one that counts every request",
    ],
    [
      "one that does not count every request",
      "unkey",
      { hash: HASH, ratelimits: [{ limit: 1, duration: 1000, autoApply: false }] },
      "rate limits other than one that counts every request",
    ],
    ["a number of uses left in better-auth", "better-auth", { key: HASH, remaining: 3 }, "a number of uses left (3)"],
    [
      "metadata that is too long",
      "better-auth",
      { key: HASH, metadata: { long: "x".repeat(501) } },
      'the metadata "long", which does not fit',
    ],
  ])("%s", (_, from, value, lost) => {
    expect(one(from, value)).toMatchObject([{ lost: [lost] }]);
  });

  test.each<[string, string, object]>([
    ["nothing where Unkey's key has all its uses", "unkey", { hash: HASH, credits: null, ratelimits: [] }],
    ["nothing where better-auth's key has all its uses", "better-auth", { key: HASH, remaining: null }],
  ])("%s", (_, from, value) => {
    expect(one(from, value)).toMatchObject([{ lost: [] }]);
  });

  test.each<[string, string, object, string]>([
    ["a key of Unkey without its hash", "unkey", { keyId: "key_1" }, "has neither plaintext nor hash"],
    ["a hash of Unkey of another kind", "unkey", { hash: { value: HASH, variant: "md5" } }, "variant sha256_base64"],
    ["a key of better-auth without its hash", "better-auth", { id: "x" }, "has no key"],
    ["permissions that are none", "better-auth", { key: HASH, permissions: '"all"' }, "permissions must be"],
    ["what is no Secret", "envoy", { kind: "ConfigMap", data: {} }, "is no Secret"],
    ["a Secret of certificates", "envoy", { kind: "Secret", type: "kubernetes.io/tls" }, "another type than Opaque"],
    ["a Secret that is no base64", "envoy", { kind: "Secret", data: { a: "%" } }, "data.a is no base64"],
  ])("%s", (_, from, value, problem) => {
    expect(() => one(from, value)).toThrow(problem);
  });

  test("a deleted row of Unkey's table, which is no key any more", () => {
    expect(one("unkey", { hash: HASH, deleted_at_m: "1701425400000" })).toEqual([]);
  });

  test("plugins and groups of a consumer of Kong", () => {
    const limits = { plugins: [{ name: "rate-limiting" }], groups: [{ name: "gold" }] };
    const consumer = { username: "a", keyauth_credentials: [{ key: "k".repeat(20) }], ...limits };
    expect(one("kong", consumer, "consumers")).toMatchObject([
      { lost: ["plugins of its own (rate-limiting)", "consumer groups (gold)"] },
    ]);
  });
});

import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

let keyward: Keyward;
let client: CheckClient;
beforeAll(async () => {
  keyward = await startKeyward();
  client = createCheckClient(keyward.authz);
});
afterAll(async () => {
  client.close();
  await keyward.stop();
});

const WHOLE = "Nothing was imported: the file is imported as a whole, or not at all.\n";
const DRY = "Nothing was imported: this was a dry run.\n";
const TAKEN = "has the same secret as another key, in the store or in this import";

let number = 0;

/** Imports a file of such content. */
async function importOf(content: string, from: string, ...flags: string[]) {
  const name = `import-${++number}`;
  writeFileSync(join(keyward.folder, name), content);
  return { name, ...(await keyward.cli("keys", "import", name, "--from", from, ...flags)) };
}

const fixture = (file: string) => fileURLToPath(new URL(`../fixtures/import/${file}`, import.meta.url));
const hashOf = (secret: string) => hash("sha256", secret, "hex");
const reasonOf = async (secret: string) => (await client.present(secret)).reason;

/** A table of hashes of such secrets, each key named after its own. */
const table = (...secrets: string[]) => [
  "hash,name",
  ...secrets.map((each) => `${hashOf(each)},${each.slice(-1)}`),
  "",
];

describe("keys import", () => {
  test("refuses what is not of our form until something else was imported", async () => {
    const own = await startKeyward();
    const asked = createCheckClient(own.authz);
    try {
      expect((await asked.present("legacy-0")).reason).toBe("malformed_credential");
      writeFileSync(join(own.folder, "keys.csv"), table("legacy-1").join("\n"));
      expect((await own.cli("keys", "import", "keys.csv", "--from", "sha256-hex")).code).toBe(0);
      expect((await asked.present("legacy-1")).reason).toBe("allowed");
      expect((await asked.present("legacy-0")).reason).toBe("unknown_key");
      expect((await asked.present("legacy 0")).reason).toBe("malformed_credential");
    } finally {
      asked.close();
      await own.stop();
    }
  });

  test("takes over hashes, says how many, and the next check obeys", async () => {
    const { code, stdout, stderr } = await importOf(table("cli-a", "cli-b").join("\n"), "sha256-hex");
    expect([code, stdout, stderr]).toEqual([0, "imported  2\n", ""]);
    expect(await Promise.all(["cli-a", "cli-b", "cli-c"].map(reasonOf))).toEqual(["allowed", "allowed", "unknown_key"]);
  });

  test("imports nothing with --dry-run, and says what would come of it", async () => {
    const content = table("dry-a", "dry-b").join("\n");
    const dry = await importOf(content, "sha256-hex", "--dry-run");
    expect([dry.code, dry.stdout, dry.stderr]).toEqual([0, "would be imported  2\n", DRY]);
    expect(await reasonOf("dry-a")).toBe("unknown_key");
    expect((await importOf(content, "sha256-hex")).code).toBe(0);
    expect(await reasonOf("dry-a")).toBe("allowed");
  });

  test.each([[["--dry-run"]], [[]]])(
    "lists what is refused by line, here and there, and imports nothing %j",
    async (flags) => {
      const lines = [
        "hash,name,scopes",
        `${hashOf("r-a")},a,`,
        "zz,b,",
        `${hashOf("r-c")},c,a\\b`,
        `${hashOf("r-a")},d,`,
        "",
      ];
      const { code, stdout, stderr } = await importOf(lines.join("\r\n"), "sha256-hex", ...flags);
      expect([code, stdout]).toEqual([1, expect.stringMatching(/imported +0\nrefused +3\n$/)]);
      expect(stderr.split("\n").slice(0, 3)).toEqual([
        "line 3: the hash has 2 characters; it must be a SHA-256 or SHA-512 in hex, base64 or base64url",
        expect.stringMatching(/^line 4: scopes\[0\] "a\\\\b" must be 1 to 128 visible ASCII characters/),
        `line 5: ${TAKEN}`,
      ]);
      expect(stderr).toContain(WHOLE);
      expect(await reasonOf("r-a")).toBe("unknown_key");
    },
  );

  test("refuses the same file a second time, and goes on as it was", async () => {
    const content = table("again-a").join("\n");
    expect((await importOf(content, "sha256-hex")).code).toBe(0);
    const { code, stderr } = await importOf(content, "sha256-hex");
    expect([code, stderr]).toEqual([1, `line 2: ${TAKEN}\n${WHOLE}`]);
    expect(await reasonOf("again-a")).toBe("allowed");
  });

  test("finds a duplicate in another call than the first one's, and the first hundred are told", async () => {
    const secrets = Array.from({ length: 1_100 }, (_, index) => `many-${index}`);
    const { code, stdout, stderr } = await importOf(table(...secrets, ...secrets).join("\n"), "sha256-hex");
    expect([code, stdout]).toEqual([1, "imported  0\nrefused   1100\n"]);
    const told = stderr.split("\n");
    expect(told[0]).toBe(`line 1102: ${TAKEN}`);
    expect(told[100]).toBe("and 1000 more");
  });

  test("prints the answer of the API with -o json, and only the count with -q", async () => {
    const json = await importOf(table("json-a").join("\n"), "sha256-hex", "-o", "json");
    expect(JSON.parse(json.stdout)).toEqual({ importedCount: 1, enforced: true });
    const refused = await importOf(table("json-a").join("\n"), "sha256-hex", "-o", "json");
    expect(JSON.parse(refused.stdout)).toEqual({ refused: [{ line: 2, problem: TAKEN }], refusedCount: 1 });
    expect((await importOf(table("json-b").join("\n"), "sha256-hex", "-q")).stdout).toBe("1\n");
  });

  test("takes all columns of a table", async () => {
    const columns =
      "key,name,owner,tenant,note,scopes,paths,methods,cidrs,not_before,expires_at,rate_limit,disabled,metadata.team";
    const values =
      'all-columns-0123,All,service/a,acme,"a, b","x y",/v1,GET,127.0.0.0/8,2026-01-01T00:00:00Z,2099-01-01T00:00:00Z,100/60s,true,pay';
    expect((await importOf(`${columns}\n${values}\n`, "plaintext")).code).toBe(0);
    const { stdout } = await keyward.cli("keys", "get", "all-columns-0123", "-o", "json");
    expect(JSON.parse(stdout).key).toMatchObject({
      start: "all-",
      name: "All",
      owner: "service/a",
      tenant: "acme",
      note: "a, b",
      scopes: ["x", "y"],
      paths: ["/v1"],
      methods: ["GET"],
      cidrs: ["127.0.0.0/8"],
      notBefore: "2026-01-01T00:00:00Z",
      expiresAt: "2099-01-01T00:00:00Z",
      rateLimit: { requests: 100, window: "60s" },
      state: "KEY_STATE_DISABLED",
      metadata: { team: "pay" },
      source: "plaintext",
    });
  });

  test("leaves out keys whose time is over, and warns of short ones", async () => {
    const lines = ["key,expires_at", "ended-ended-ended-1,2020-01-01T00:00:00Z", "short,", ""];
    const { code, stdout, stderr } = await importOf(lines.join("\n"), "plaintext");
    expect([code, stdout]).toEqual([0, "imported  1\n"]);
    expect(stderr).toBe(
      "1 had ended already and were left out.\nwarning: 1 have fewer than 16 characters and can be guessed; rotate them soon\n",
    );
    expect(await Promise.all(["short", "ended-ended-ended-1"].map(reasonOf))).toEqual(["allowed", "unknown_key"]);
  });

  test("refuses keys that had limits which Keyward cannot keep, unless it is told not to", async () => {
    const content = JSON.stringify([{ hash: hashOf("credits"), name: "c", credits: { remaining: 5 } }]);
    const refused = await importOf(content, "unkey");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `line 1: has a number of uses left (5); --ignore-unsupported imports it without\n${WHOLE}`,
    ]);
    expect((await importOf(content, "unkey", "--ignore-unsupported")).code).toBe(0);
    expect(await reasonOf("credits")).toBe("allowed");
  });

  test.each([
    [[], "user/u1", undefined],
    [["--owner-type", "project"], "project/u1", undefined],
    [["--owner-type", "none"], undefined, "u1"],
  ])("makes owners of users with %j", async (flags, owner, kept) => {
    const secret = `owner-of-${flags.join("")}`;
    const content = JSON.stringify([{ hash: hashOf(secret), externalId: "u1" }]);
    expect((await importOf(content, "unkey", "--tenant", "t1", ...flags)).code).toBe(0);
    const { stdout } = await keyward.cli("keys", "get", secret, "-o", "json");
    const { key } = JSON.parse(stdout);
    expect([key.owner, key.tenant, key.name, key.metadata?.["unkey.owner"]]).toEqual([
      owner,
      "t1",
      "unkey, line 1",
      kept,
    ]);
  });

  test.each([
    ["empty", "", "is empty"],
    ["cut", `hash,name\n${hashOf("cut-a")},a\n${hashOf("cut-b")}`, "ends within line 3: it was cut, or"],
    ["of another layout", "digest\nx\n", "has no column hash in its first line; this reads CSV with the column hash"],
  ])("refuses a file that is %s with exit code 2", async (_, content, problem) => {
    const { name, code, stdout, stderr } = await importOf(content, "sha256-hex");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(new RegExp(`^keyward: ${name} ${problem}.*; nothing was imported\n$`));
    expect(await reasonOf("cut-a")).toBe("unknown_key");
  });

  test("leaves nothing behind of what was sent before the file turned out to be cut", async () => {
    const secrets = Array.from({ length: 1_500 }, (_, index) => `cut-late-${index}`);
    const { code } = await importOf(`${table(...secrets).join("\n")}zz`, "sha256-hex");
    expect([code, await reasonOf("cut-late-0")]).toEqual([2, "unknown_key"]);
    const db = new Database(keyward.database, { readonly: true });
    const left = ["imports", "import_rows"].map((each) => db.prepare(`SELECT count(*) FROM ${each}`).pluck().get());
    db.close();
    expect(left).toEqual([0, 0]);
  });

  test("asks for a source that there is", async () => {
    const { code, stderr } = await importOf("x\n", "vault");
    expect(code).toBe(2);
    expect(stderr).toContain(
      "Allowed choices are unkey, better-auth, kong, apisix, envoy, authorino, sha256-hex, plaintext",
    );
  });
});

describe("keys of other systems open once they are imported from", () => {
  const betterAuth = JSON.parse(readFileSync(fixture("better-auth-secrets.json"), "utf8")) as Record<string, string>;
  test.each<[string, string, number, string[]]>([
    ["kong-deck.yaml", "kong", 2, ["4174348a-9222-4e81-b33e-5d72d2fd7f1e", "00123456789012345678"]],
    ["kong-db-export.yml", "kong", 1, ["8f14e45f-ceea-467a-a866-051f1c4a1e3a"]],
    ["kong-key-auths.json", "kong", 1, ["vAnEP4XCvMZ2LnPdxxpAtZJyPBGRmmmm"]],
    ["apisix.yaml", "apisix", 2, ["auth-one-of-jane-0001", "auth-one-of-john-0001"]],
    ["envoy-gateway-secrets.yaml", "envoy", 2, ["supersecret-of-client-1", "supersecret-of-client-2"]],
    ["authorino-secrets.yaml", "authorino", 1, ["ndyBzreUzF4zqDQsqSPMHkRhriEOtcRy"]],
    ["unkey-list-keys.json", "unkey", 1, ["prod_8Hg4kLm2nOpQrStUvWxYzAbC"]],
    ["better-auth-apikey.csv", "better-auth", 4, [betterAuth.plain ?? "", betterAuth["ci, the pipeline"] ?? ""]],
  ])("%s", async (file, from, count, secrets) => {
    for (const secret of secrets) expect(await reasonOf(secret)).toBe("unknown_key");
    const { code, stdout, stderr } = await keyward.cli("keys", "import", fixture(file), "--from", from);
    expect([code, stdout, stderr]).toEqual([0, `imported  ${count}\n`, ""]);
    for (const secret of secrets) {
      expect(await reasonOf(secret)).toBe("allowed");
      expect(await reasonOf(secret.slice(0, -1))).toBe("unknown_key");
    }
  });

  test("apisix-consumers.json, whose consumer has a limit of its own", async () => {
    const args = ["keys", "import", fixture("apisix-consumers.json"), "--from", "apisix"];
    const refused = await keyward.cli(...args);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `line 4: has plugins of its own (limit-count); --ignore-unsupported imports it without\n${WHOLE}`,
    ]);
    expect((await keyward.cli(...args, "--ignore-unsupported")).stdout).toBe("imported  2\n");
    expect(await reasonOf("auth-two-of-jack-0002")).toBe("allowed");
  });

  test("unkey-migrate-keys.json, as the disabled key that it was", async () => {
    const { code } = await keyward.cli("keys", "import", fixture("unkey-migrate-keys.json"), "--from", "unkey");
    expect([code, await reasonOf("prod_migratedKeyOfAnEarlierTime01")]).toEqual([0, "key_disabled"]);
  });
});

test("no key of a file is in the database, its log or the program's own", async () => {
  await importOf("key,name\nin-the-clear-and-long,x\n", "plaintext");
  expect(await reasonOf("in-the-clear-and-long")).toBe("allowed");
  const files = ["", "-wal"].map((suffix) => readFileSync(keyward.database + suffix, "latin1"));
  expect([...files, keyward.log()].map((content) => content.includes("in-the-clear-and-long"))).toEqual([
    false,
    false,
    false,
  ]);
});

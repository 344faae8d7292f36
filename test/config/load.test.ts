import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_SOURCES } from "../../src/check/credential.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Sources } from "../../src/config/config-path.ts";
import { type LoadedSettings, loadSettings } from "../../src/config/load.ts";
import { formatOrigin } from "../../src/config/origin.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { tokenOf } from "../support/sample-keys.ts";

const ADMIN_KEY = writeSecret("kwadm", new Uint8Array(32).fill(7));
const DATA_KEY = writeSecret("kw", new Uint8Array(32).fill(7));

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(sources: Partial<Sources> = {}): LoadedSettings {
  return loadSettings({ flags: {}, env: {}, cwd, ...sources });
}

function problemsOf(sources: Partial<Sources>): readonly string[] {
  try {
    load(sources);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

test("without any source there are the defaults", () => {
  const { settings, warnings, file } = load();
  expect(settings).toEqual({
    mode: "all",
    database: "./data/keyward.db",
    listen: {
      authz: { kind: "tcp", host: "127.0.0.1", port: 9000 },
      forwardAuth: { kind: "tcp", host: "127.0.0.1", port: 8000 },
      admin: { kind: "tcp", host: "127.0.0.1", port: 7070 },
      adminLocal: { kind: "unix", path: "./data/keyward.db.admin.sock" },
      ops: { kind: "tcp", host: "127.0.0.1", port: 9464 },
    },
    tls: {},
    adminIdentities: [],
    insecureAdmin: false,
    checkThreads: 1,
    transport: "h2",
    maxConnectionAgeMs: undefined,
    trustedHops: 0,
    keyLifetime: { defaultMs: undefined, maxMs: undefined },
    retention: { endedKeysMs: undefined, auditMs: undefined },
    onStoreError: "deny",
    stale: { serveForMs: 30_000 },
    shutdownDelayMs: 5_000,
    shutdownTimeoutMs: 30_000,
    log: { level: "info", format: "auto", allowed: "none" },
    alerts: { requestsPerHour: 0, denialsPerMinute: 100 },
    cache: { maxKeys: 100_000, maxUnknown: 10_000 },
    realm: "keyward",
    wwwAuthenticate: "on",
    expiryWarningMs: 7 * 24 * 60 * 60 * 1_000,
    identityHeaders: {
      keyId: "x-keyward-key-id",
      owner: "x-keyward-owner",
      tenant: "x-keyward-tenant",
      scopes: "x-keyward-scopes",
    },
    jwt: { issuer: "keyward", audience: "keyward" },
    rest: { defaultFormat: "opaque" },
    policy: { routes: [], defaultAccess: undefined, scopes: undefined },
    credentials: [{ from: "bearer" }, { from: "scheme", name: "apikey" }, { from: "header", name: "x-api-key" }],
    tenants: new Map(),
  });
  expect(warnings).toEqual([]);
  expect(file).toBeUndefined();
  expect(structuredClone(settings)).toEqual(settings);
});

test("a flag wins over the environment, that over the file, and that over the default", () => {
  writeFileSync(join(cwd, "keyward.yaml"), "log: { level: warn }\nrealm: file\nmode: admin\n");
  const { settings, origins } = load({
    env: { KEYWARD_LOG_LEVEL: "error", KEYWARD_REALM: "env" },
    flags: { "log-level": "debug" },
  });
  expect([settings.log.level, settings.realm, settings.mode, settings.checkThreads]).toEqual([
    "debug",
    "env",
    "admin",
    1,
  ]);
  expect(
    (["log.level", "realm", "mode", "check_threads", "routes"] as const).map((key) =>
      formatOrigin(origins.get(key) ?? { kind: "default" }),
    ),
  ).toEqual(["flag --log-level", "env KEYWARD_REALM", "keyward.yaml:3", "default", "default"]);
});

test("the local admin socket lies beside the database, unless it is set or off", () => {
  const localOf = (flags: Sources["flags"]) => load({ flags }).settings.listen.adminLocal;
  expect(localOf({ database: "/var/lib/k$&.db" })).toEqual({ kind: "unix", path: "/var/lib/k$&.db.admin.sock" });
  expect(localOf({ database: "/var/lib/k.db", "listen-admin-local": "unix:a.sock" })).toEqual({
    kind: "unix",
    path: "a.sock",
  });
  expect(localOf({ "listen-admin-local": "off" })).toBeUndefined();
});

test.each([
  [true, true],
  ["true", true],
  ["false", false],
])("--insecure-admin given as %j is %s", (given, value) => {
  writeFileSync(join(cwd, "keyward.yaml"), `insecure_admin: ${!value}\n`);
  expect(load({ flags: { "insecure-admin": given } }).settings.insecureAdmin).toBe(value);
});

test("a variable that is set to nothing is not set", () => {
  expect(load({ env: { KEYWARD_MODE: "", KEYWARD_ADMIN_KEY: "", KEYWARD_CONFIG: "" } }).settings.mode).toBe("all");
});

describe("the file", () => {
  test.each<[what: string, sources: Partial<Sources>]>([
    ["a flag", { flags: { config: "other.yaml" }, env: { KEYWARD_CONFIG: "missing.yaml" } }],
    ["the environment", { env: { KEYWARD_CONFIG: "other.yaml" } }],
  ])("can be named by %s", (_, sources) => {
    writeFileSync(join(cwd, "keyward.yaml"), "realm: default\n");
    writeFileSync(join(cwd, "other.yaml"), "realm: other\n");
    expect(load(sources)).toMatchObject({ settings: { realm: "other" }, file: "other.yaml" });
  });

  test.each<[what: string, sources: Partial<Sources>, problem: string]>([
    [
      "is named by a flag and missing",
      { flags: { config: "a.yaml" } },
      '--config "a.yaml" cannot be read: no such file or directory',
    ],
    [
      "is named by a variable and missing",
      { env: { KEYWARD_CONFIG: "a.yaml" } },
      'KEYWARD_CONFIG "a.yaml" cannot be read: no such file or directory',
    ],
    ["is a directory", { flags: { config: "." } }, '--config "." cannot be read: illegal operation on a directory'],
    ["is not text", { flags: { config: "latin1.yaml" } }, '--config "latin1.yaml" is not UTF-8 text'],
  ])("is refused where it %s", (_, sources, problem) => {
    writeFileSync(join(cwd, "latin1.yaml"), Buffer.from("realm: \xe4", "latin1"));
    expect(problemsOf(sources)).toEqual([problem]);
  });

  test("is refused where its default name is a link that leads nowhere", () => {
    symlinkSync("gone.yaml", join(cwd, "keyward.yaml"));
    expect(problemsOf({})).toEqual(['the configuration file "keyward.yaml" cannot be read: no such file or directory']);
  });
});

describe("values that cannot be", () => {
  test.each<[flags: Sources["flags"], env: Sources["env"], problems: string[]]>([
    [{ "check-threads": "0" }, {}, ["--check-threads 0 must be >= 1 and <= 64"]],
    [{ "check-threads": "-1" }, {}, ["--check-threads -1 must be >= 1 and <= 64"]],
    [{ "check-threads": "2x" }, {}, ['--check-threads "2x" must be a whole number >= 1 and <= 64']],
    [{ "check-threads": "" }, {}, ['--check-threads "" must be a whole number >= 1 and <= 64']],
    [{ "insecure-admin": "1" }, {}, ['--insecure-admin "1" must be true or false']],
    [{}, { KEYWARD_LOG_LEVEL: "loud" }, ['KEYWARD_LOG_LEVEL "loud" must be one of trace, debug, info, warn, error']],
    [
      { "log-level": "info" },
      { KEYWARD_LOG_LEVEL: "loud" },
      ['KEYWARD_LOG_LEVEL "loud" must be one of trace, debug, info, warn, error'],
    ],
    [
      { "on-store-error": "allow" },
      { KEYWARD_CACHE_MAX_KEYS: "0" },
      ['--on-store-error "allow" must be one of deny, error', "KEYWARD_CACHE_MAX_KEYS 0 must be >= 1 and <= 10000000"],
    ],
    [
      { database: `/${"a".repeat(107)}` },
      {},
      [
        `listen.admin_local "unix:/${"a".repeat(54)}…" must be a path of at most 107 bytes, this one has 119 (the default, made from database)`,
      ],
    ],
    [{ realm: `${DATA_KEY}\n` }, {}, ['--realm <redacted> must be 1 to 64 letters, digits, spaces, ".", "_" or "-"']],
    [{ mode: tokenOf("a") }, {}, ["--mode <redacted> must be one of all, authz, admin"]],
  ])("flags %j and variables %j are refused", (flags, env, problems) => {
    expect(problemsOf({ flags, env }).toSorted()).toEqual(problems.toSorted());
  });

  test("are reported together, whichever source they are from", () => {
    writeFileSync(join(cwd, "keyward.yaml"), "cache:\n  max_keys: 0\n");
    const problems = problemsOf({ flags: { mode: "x" }, env: { KEYWARD_REALM: "é", KEYWARD_ADMIN_KEY: "x" } });
    expect(problems).toEqual([
      "keyward.yaml:2: cache.max_keys 0 must be >= 1 and <= 10000000",
      '--mode "x" must be one of all, authz, admin',
      'KEYWARD_REALM "é" must be 1 to 64 letters, digits, spaces, ".", "_" or "-"',
      "KEYWARD_ADMIN_KEY does not hold a whole admin key (kwadm_ and 49 characters)",
    ]);
    expect(new ConfigError(problems).message).toBe(problems.join("\n"));
  });
});

describe("settings together", () => {
  const EXPOSED =
    "must be an address of this machine only, since admin keys would cross the network unencrypted (tls.admin encrypts them; insecure_admin or --insecure-admin allows it without)";

  test.each<[what: string, flags: Sources["flags"], problems: string[]]>([
    ["an exposed admin API", { "listen-admin": "0.0.0.0:7070" }, [`--listen-admin "0.0.0.0:7070" ${EXPOSED}`]],
    ["an exposed admin API by name", { "listen-admin": "keyward:7070" }, [`--listen-admin "keyward:7070" ${EXPOSED}`]],
    [
      "one port for two",
      { "listen-ops": "127.0.0.1:9000" },
      ['--listen-ops "127.0.0.1:9000" is taken by listen.authz "127.0.0.1:9000"'],
    ],
    [
      "one port within another",
      { "listen-authz": "[::]:9464" },
      ['listen.ops "127.0.0.1:9464" is taken by --listen-authz "[::]:9464"'],
    ],
    [
      "one socket for two",
      { "listen-authz": "unix:a/../k.sock", "listen-ops": "unix:./k.sock" },
      ['--listen-ops "unix:./k.sock" is taken by --listen-authz "unix:a/../k.sock"'],
    ],
    [
      "nothing to serve",
      { mode: "authz", "listen-authz": "off", "listen-forward-auth": "off" },
      ['--mode "authz" needs a listener, but all that it could serve are off'],
    ],
    [
      "one header for two",
      { "identity-headers-owner": "x-keyward_key.id" },
      [
        '--identity-headers-owner "x-keyward_key.id" must differ from identity_headers.key_id "x-keyward-key-id", also where "_" and "." are read as "-"',
      ],
    ],
  ])("%s is refused", (_, flags, problems) => {
    expect(problemsOf({ flags })).toEqual(problems);
  });

  test.each<[what: string, flags: Sources["flags"]]>([
    ["any free port for two", { "listen-authz": "127.0.0.1:0", "listen-ops": "127.0.0.1:0" }],
    ["one port on two addresses", { "listen-authz": "127.0.0.1:9000", "listen-ops": "127.0.0.2:9000" }],
    ["what the mode does not start", { mode: "authz", "listen-admin": "0.0.0.0:9000" }],
    [
      "one listener alone",
      { "listen-authz": "off", "listen-forward-auth": "off", "listen-admin": "off", "listen-ops": "off" },
    ],
  ])("%s is accepted", (_, flags) => {
    expect(load({ flags }).warnings).toEqual([]);
  });

  test.each<[flags: Sources["flags"], warnings: string[]]>([
    [
      { "listen-authz": "0.0.0.0:9000" },
      ['--listen-authz "0.0.0.0:9000" is reachable from other machines without TLS'],
    ],
    [{ "listen-ops": "[::]:9464" }, ['--listen-ops "[::]:9464" is reachable from other machines without TLS']],
    [
      { "listen-admin": "10.0.0.1:7070", "insecure-admin": true },
      ['--listen-admin "10.0.0.1:7070" is reachable from other machines without TLS'],
    ],
  ])("%j is accepted with a warning", (flags, warnings) => {
    expect(load({ flags }).warnings).toEqual(warnings);
  });
});

test.each<[name: string, warnings: string[]]>([
  ["KEYWARD_LOG_LEVL", ["KEYWARD_LOG_LEVL is not a setting and is ignored (did you mean KEYWARD_LOG_LEVEL?)"]],
  ["KEYWARD_COLOUR", ["KEYWARD_COLOUR is not a setting and is ignored"]],
  ["KEYWARD_ADMIN_URL", []],
  ["KEYWARD_SERVICE_HOST", []],
  ["KEYWARD_ADMIN_PORT_7070_TCP_ADDR", []],
  ["OTHER_LOG_LEVL", []],
])("the variable %s gives the warnings %j", (name, warnings) => {
  expect(load({ env: { [name]: "1" } }).warnings).toEqual(warnings);
});

describe("routes", () => {
  test("are handed on as policy, together with the default access", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      "default_access: authenticated\nroutes:\n  - { path: /a, methods: [GET], scopes: [x], match: all }\n",
    );
    expect(load().settings.policy).toEqual({
      routes: [{ path: "/a", methods: ["GET"], scopes: ["x"], match: "all" }],
      defaultAccess: "authenticated",
    });
  });

  test("that contradict themselves are problems with their lines", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      "routes:\n  - { path: /a, access: public }\n  - path: /b\n    access: deny\n    scopes: [x]\n  - path: /c\n",
    );
    expect(problemsOf({})).toEqual([
      "keyward.yaml:4: routes[1].access deny contradicts scopes",
      "keyward.yaml:6: routes[2] says none of access, scopes, tenant, owner",
    ]);
  });

  test("that bind what cannot be bound are problems with their lines", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      'routes:\n  - path: "/t/{t}/**"\n    tenant: "{tenant}"\n  - path: /a\n    owner: user/a b\n' +
        "  - path: /b\n    forward_credential: true\n    access: public\n",
    );
    expect(problemsOf({})).toEqual([
      'keyward.yaml:3: routes[0].tenant "{tenant}" must be a segment of the path',
      'keyward.yaml:5: routes[1].owner "user/a b" must be "user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, ' +
        '0-9 and . _ @ + -, all or the end of which may be "{name}" of a segment of the path',
      "keyward.yaml:8: routes[2].access public contradicts forward_credential",
    ]);
  });
});

describe("credentials", () => {
  const loadCredentials = (text: string) => {
    writeFileSync(join(cwd, "keyward.yaml"), text);
    return load();
  };

  test("are those of the file, instead of the usual ones", () => {
    const { settings, origins } = loadCredentials("mode: all\ncredentials: [{ from: query, name: k }]\n");
    expect(settings.credentials).toEqual([{ from: "query", name: "k" }]);
    expect(origins.get("credentials")).toEqual({ kind: "file", file: "keyward.yaml", line: 2 });
    expect(loadCredentials("mode: all\n").settings.credentials).toEqual(DEFAULT_SOURCES);
  });

  test("that cannot be are problems with their lines", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      "credentials:\n  - from: bearer\n  - { from: scheme, name: Bearer }\n  - { from: scheme, name: Basic }\n  - from: header\n    name: Authorization\n  - { from: header, name: Cookie }\n",
    );
    expect(problemsOf({})).toEqual([
      "keyward.yaml:3: credentials[1] names scheme bearer a second time",
      "keyward.yaml:4: credentials[2] must say from: basic, with a username",
      "keyward.yaml:5: credentials[3] must say from: bearer, scheme or basic",
      "keyward.yaml:7: credentials[4] cannot be the header cookie",
    ]);
  });

  test.each<[string, string, string[]]>([
    ["by its default name", "x-keyward-owner", ["cannot be the header x-keyward-owner"]],
    ["by the name that is configured", "x-me", ["cannot be the header x-me"]],
    ["in another spelling", "x_me", ["cannot be the header x_me"]],
    ["in none: one character longer", "x-mee", []],
  ])("cannot be an identity header %s", (_, name, messages) => {
    writeFileSync(join(cwd, "keyward.yaml"), `credentials:\n  - { from: header, name: ${name} }\n`);
    const problems = problemsOf({ flags: { "identity-headers-tenant": "x-me" } });
    expect(problems).toEqual(messages.map((message) => `keyward.yaml:2: credentials[0] ${message}`));
  });
});

describe("tenants", () => {
  test("are handed on by their names, whatever those mean to an object", () => {
    const source = "tenants:\n  acme: { grantable_scopes: [a, 'b:*'], prefix: acme_live }\n  constructor:\n";
    writeFileSync(join(cwd, "keyward.yaml"), source);
    const acme = { grantable_scopes: ["a", "b:*"], prefix: "acme_live" };
    expect([...load().settings.tenants]).toEqual([
      ["acme", acme],
      ["constructor", {}],
    ]);
    expect(load().origins.get("tenants")).toEqual({ kind: "file", file: "keyward.yaml", line: 1 });
  });

  test("that cannot be are problems with their lines", () => {
    const source = [
      "scopes: { orders:read: , orders:write: , 'billing:read': }",
      "tenants:",
      "  Acme: { prefix: acme }",
      "  globex:",
      "    prefix: kwadm_x",
      "    grantable_scopes:",
      "      - orders:read",
      "      - orders:reed",
      "      - orders:*",
      "      - shipping:*",
      "      - a*",
    ].join("\n");
    writeFileSync(join(cwd, "keyward.yaml"), source);
    expect(problemsOf({})).toEqual([
      'keyward.yaml:3: tenants.Acme must be named with 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit',
      'keyward.yaml:5: tenants.globex.prefix "kwadm_x" must be 1 to 32 of a-z, 0-9 and "_", no "_" at either end or twice in a row, and not kwadm',
      'keyward.yaml:8: tenants.globex.grantable_scopes[1] "orders:reed" is not among the scopes (did you mean "orders:read"?)',
      'keyward.yaml:10: tenants.globex.grantable_scopes[3] "shipping:*" is not among the scopes',
      'keyward.yaml:11: tenants.globex.grantable_scopes[4] "a*" must be a scope, with "*" only as the whole last segment',
    ]);
  });
});

describe("scopes", () => {
  test("are handed on as policy", () => {
    writeFileSync(join(cwd, "keyward.yaml"), "scopes:\n  a: { description: All, implies: [b] }\n  b:\n");
    expect(load().settings.policy).toEqual({
      routes: [],
      defaultAccess: undefined,
      scopes: { a: { description: "All", implies: ["b"] }, b: {} },
    });
    expect(load().origins.get("scopes")).toEqual({ kind: "file", file: "keyward.yaml", line: 1 });
  });

  test("that cannot be, and routes that ask for others, are problems with their lines", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      "scopes:\n  a: { implies: [b] }\n  b:\n    implies: [a, c]\n  'd:*': {}\nroutes:\n  - { path: v1, scopes: [a] }\n",
    );
    expect(problemsOf({})).toEqual([
      'keyward.yaml:7: routes[0].path "v1" must begin with "/"',
      "keyward.yaml:2: scopes.a implies itself: a → b → a",
      'keyward.yaml:3: scopes.b implies "c", which is not defined',
      "keyward.yaml:3: scopes.b implies itself: b → a → b",
      'keyward.yaml:5: scopes.d:* must be a scope without "*"',
    ]);
  });

  test("are all that a route may ask for", () => {
    writeFileSync(
      join(cwd, "keyward.yaml"),
      "scopes: { a: }\nroutes:\n  - { path: /a, scopes: [a] }\n  - path: /b\n    scopes: [a, b]\n",
    );
    expect(problemsOf({})).toEqual(['keyward.yaml:5: routes[1].scopes "b" is not among the scopes']);
  });

  test("are any that a route asks for where none are defined", () => {
    writeFileSync(join(cwd, "keyward.yaml"), "routes:\n  - { path: /b, scopes: [a, b] }\n");
    expect(problemsOf({})).toEqual([]);
  });
});

test.each<[flags: Sources["flags"], on: string, warningMs: number]>([
  [{}, "on", 604_800_000],
  [{ "www-authenticate": "off", "expiry-warning": "0" }, "off", 0],
  [{ "www-authenticate": "on", "expiry-warning": "365d" }, "on", 31_536_000_000],
])("flags %j set www_authenticate %s and expiry_warning %i", (flags, on, warningMs) => {
  expect(load({ flags }).settings).toMatchObject({ wwwAuthenticate: on, expiryWarningMs: warningMs });
});

describe("the admin key", () => {
  beforeEach(() => {
    writeFileSync(join(cwd, "key"), `${ADMIN_KEY}\n`);
    writeFileSync(join(cwd, "empty"), "");
  });

  test.each([{ KEYWARD_ADMIN_KEY: ADMIN_KEY }, { KEYWARD_ADMIN_KEY_FILE: "key" }])("is read from %o", (env) => {
    expect(load({ env }).settings.adminKey).toBe(ADMIN_KEY);
  });

  test.each<[what: string, env: Sources["env"], problem: string]>([
    [
      "in both variables",
      { KEYWARD_ADMIN_KEY: ADMIN_KEY, KEYWARD_ADMIN_KEY_FILE: "key" },
      "KEYWARD_ADMIN_KEY and KEYWARD_ADMIN_KEY_FILE must not both be set",
    ],
    [
      "in a missing file",
      { KEYWARD_ADMIN_KEY_FILE: "gone" },
      'KEYWARD_ADMIN_KEY_FILE "gone" cannot be read: no such file or directory',
    ],
    [
      "in place of its file",
      { KEYWARD_ADMIN_KEY_FILE: ADMIN_KEY },
      "KEYWARD_ADMIN_KEY_FILE <redacted> cannot be read: no such file or directory",
    ],
    [
      "in an empty file",
      { KEYWARD_ADMIN_KEY_FILE: "empty" },
      'KEYWARD_ADMIN_KEY_FILE "empty" does not hold a whole admin key (kwadm_ and 49 characters)',
    ],
    [
      "with a character missing",
      { KEYWARD_ADMIN_KEY: ADMIN_KEY.slice(0, -1) },
      "KEYWARD_ADMIN_KEY does not hold a whole admin key (kwadm_ and 49 characters)",
    ],
    [
      "of the data plane",
      { KEYWARD_ADMIN_KEY: DATA_KEY },
      "KEYWARD_ADMIN_KEY does not hold a whole admin key (kwadm_ and 49 characters)",
    ],
  ])("%s is refused, and stands in no message", (_, env, problem) => {
    expect(problemsOf({ env })).toEqual([problem]);
    expect(problem).not.toContain(ADMIN_KEY.slice(6, 20));
  });
});

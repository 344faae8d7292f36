import { createPrivateKey } from "node:crypto";
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadSettings } from "../../src/config/load.ts";
import { createAuthority, selfSigned } from "../support/certificates.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

const authority = createAuthority();
const server = authority.issue();
const locked = createPrivateKey(server.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "x",
});

let cwd: string;
beforeEach(() => {
  cwd = folderForThisTest();
  const files = {
    "cert.pem": server.cert,
    "key.pem": server.key,
    "ca.pem": authority.cert,
    "other.pem": authority.issue().key,
    "locked.pem": String(locked),
    "expired.pem": `${authority.issue({ validForMs: -3_600_000 }).cert}`,
    "chain.pem": `a leaf\n${server.cert}its authority\n${authority.cert}`,
    "broken-chain.pem": `${server.cert}${authority.cert.replace("\nMI", "\nMJ")}`,
    "empty.pem": "",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
});

function load(config: string, flags: Readonly<Record<string, string>> = {}, env: Record<string, string> = {}) {
  writeFileSync(join(cwd, "k.yaml"), config);
  return loadSettings({ flags: { config: "k.yaml", ...flags }, env, cwd });
}

function problemsOf(config: string): readonly string[] {
  try {
    load(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("the files of a listener are those that are named", () => {
  const { settings, warnings } = load("tls: { authz: { cert: cert.pem, key: key.pem, client_ca: ca.pem } }");
  const files = { cert: "cert.pem", key: "key.pem", clientCa: "ca.pem" };
  expect(settings.tls).toEqual({ authz: files });
  expect(warnings).toEqual([]);
});

test("flags win over variables, and those over the file", () => {
  const env = { KEYWARD_TLS_ADMIN_CERT: "cert.pem", KEYWARD_TLS_ADMIN_KEY: "other.pem" };
  const { settings } = load("tls: { admin: { cert: empty.pem } }", { "tls-admin-key": "key.pem" }, env);
  expect(settings.tls.admin).toEqual({ cert: "cert.pem", key: "key.pem", clientCa: undefined });
});

test("a chain may have texts between its certificates", () => {
  expect(problemsOf("tls: { ops: { cert: chain.pem, key: key.pem } }")).toEqual([]);
});

test.each<[title: string, config: string, problems: readonly string[]]>([
  [
    "a certificate alone",
    "tls: { authz: { cert: cert.pem } }",
    ['k.yaml:1: tls.authz.cert "cert.pem" needs tls.authz.key beside it'],
  ],
  [
    "a key alone",
    "tls: { authz: { key: key.pem } }",
    ['k.yaml:1: tls.authz.key "key.pem" needs tls.authz.cert beside it'],
  ],
  [
    "an authority alone",
    "tls:\n  ops:\n    client_ca: ca.pem",
    ['k.yaml:3: tls.ops.client_ca "ca.pem" needs tls.ops.cert beside it'],
  ],
  [
    "files that are not there",
    "tls:\n  admin:\n    cert: no.pem\n    key: nor.pem",
    [
      'k.yaml:3: tls.admin.cert "no.pem" cannot be read: no such file or directory',
      'k.yaml:4: tls.admin.key "nor.pem" cannot be read: no such file or directory',
    ],
  ],
  [
    "the key of another certificate",
    "tls: { authz: { cert: cert.pem, key: other.pem } }",
    ['k.yaml:1: tls.authz.key "other.pem" is not the key of cert.pem'],
  ],
  [
    "a key with a passphrase",
    "tls: { authz: { cert: cert.pem, key: locked.pem } }",
    ['k.yaml:1: tls.authz.key "locked.pem" has a passphrase, which nobody could type'],
  ],
  [
    "the two files the wrong way round",
    "tls: { authz: { cert: key.pem, key: cert.pem } }",
    [
      'k.yaml:1: tls.authz.cert "key.pem" holds no certificate (PEM)',
      'k.yaml:1: tls.authz.key "cert.pem" holds no private key (PEM)',
    ],
  ],
  [
    "a chain with a broken link",
    "tls: { authz: { cert: broken-chain.pem, key: key.pem } }",
    ['k.yaml:1: tls.authz.cert "broken-chain.pem" holds a certificate that cannot be read'],
  ],
  [
    "an authority that is none",
    "tls: { authz: { cert: cert.pem, key: key.pem, client_ca: empty.pem } }",
    ['k.yaml:1: tls.authz.client_ca "empty.pem" holds no certificate (PEM)'],
  ],
  [
    "a listener that cannot have it",
    "tls: { admin_local: { cert: a } }",
    ['k.yaml:1: unknown key "tls.admin_local" (did you mean "admin_local" below "listen"?)'],
  ],
  [
    "files without a listener",
    "tls: { cert: cert.pem }",
    ['k.yaml:1: unknown key "tls.cert" (did you mean "cert" below "tls.authz"?)'],
  ],
  [
    "a listener that is no mapping",
    "tls: { authz: cert.pem }",
    ['k.yaml:1: tls.authz "cert.pem" must be a mapping with the keys cert, key, client_ca'],
  ],
  ["a section with a dot in its name", "tls.authz: { cert: cert.pem }", ['k.yaml:1: unknown key "tls.authz"']],
])("%s is refused", (_, config, problems) => {
  expect(problemsOf(config)).toEqual(problems);
});

test("what is wrong with a listener that is not started is nobody's business", () => {
  expect(problemsOf("mode: admin\ntls: { authz: { cert: no.pem, key: no.pem } }")).toEqual([]);
  expect(problemsOf("listen: { ops: off }\ntls: { ops: { cert: cert.pem } }")).toEqual([]);
});

test.each<[title: string, fields: Parameters<typeof selfSigned>[0], warning: RegExp[]]>([
  [
    "an hour ago",
    { validForMs: -3_600_000 },
    [/^k\.yaml:1: tls\.authz\.cert "cert\.pem" has expired on 20.*Z; clients refuse it$/],
  ],
  ["in an hour", { validForMs: 3_600_000 }, []],
])("a certificate whose end is %s is served, with a warning if that was before", (_, fields, expected) => {
  const issued = selfSigned(fields);
  writeFileSync(join(cwd, "cert.pem"), issued.cert);
  writeFileSync(join(cwd, "key.pem"), issued.key);
  const { warnings } = load("tls: { authz: { cert: cert.pem, key: key.pem } }");
  expect(warnings).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});

test("a certificate that has yet to begin is a warning", () => {
  const issued = selfSigned({ validFromMs: 3_600_000 });
  writeFileSync(join(cwd, "cert.pem"), issued.cert);
  writeFileSync(join(cwd, "key.pem"), issued.key);
  const { warnings } = load("tls: { authz: { cert: cert.pem, key: key.pem } }");
  expect(warnings).toEqual([expect.stringMatching(/ is not valid before .*; until then clients refuse it$/)]);
});

describe("beyond this machine", () => {
  const TLS = (listener: string) => `tls: { ${listener}: { cert: cert.pem, key: key.pem } }`;
  const UNENCRYPTED = "is reachable from other machines without TLS";

  test("the admin API is served with TLS, or where that is asked for without", () => {
    expect(problemsOf(`listen: { admin: 0.0.0.0:7070 }\n${TLS("admin")}`)).toEqual([]);
    expect(problemsOf(`listen: { admin: 0.0.0.0:7070 }\n${TLS("authz")}`)).toEqual([
      expect.stringContaining("must be an address of this machine only"),
    ]);
    expect(problemsOf("listen: { admin: 0.0.0.0:7070 }\ninsecure_admin: true")).toEqual([]);
  });

  test.each(["authz", "forward_auth", "admin", "ops"])(
    "there is a warning of %s without TLS, and none with it",
    (listener) => {
      const listen = `insecure_admin: true\nlisten: { ${listener}: 0.0.0.0:1 }\n`;
      expect(load(listen + TLS(listener)).warnings).toEqual([]);
      const other = listener === "ops" ? "authz" : "ops";
      expect(load(listen + TLS(other)).warnings).toEqual([
        expect.stringMatching(new RegExp(`listen.${listener} .*${UNENCRYPTED}`)),
      ]);
    },
  );
});

test("a file that is gone is no problem of a certificate that is not its own", () => {
  unlinkSync(join(cwd, "other.pem"));
  expect(problemsOf("tls: { authz: { cert: cert.pem, key: key.pem } }")).toEqual([]);
});

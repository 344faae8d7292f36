import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadSettings } from "../../src/config/load.ts";
import { selfSigned } from "../support/certificates.ts";
import { folderForThisTest } from "../support/for-this-test.ts";

const own = selfSigned();

const OIDC = 'oidc: { issuer: "https://login.example.com", audience: keyward }\n';
const TLS = "tls: { admin: { cert: cert.pem, key: key.pem, client_ca: cert.pem } }\n";

let cwd: string;
beforeEach(() => {
  cwd = folderForThisTest();
  writeFileSync(join(cwd, "cert.pem"), own.cert);
  writeFileSync(join(cwd, "key.pem"), own.key);
});

function problemsOf(text: string): readonly string[] {
  writeFileSync(join(cwd, "k.yaml"), text);
  try {
    loadSettings({ flags: { config: "k.yaml" }, env: {}, cwd });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const identity = (entry: string) => `${OIDC}${TLS}admin_identities:\n  - ${entry}\n`;

test.each([
  ["a URI", '{ certificate: "spiffe://example.org/ops", scopes: [keys:read] }'],
  ["a host name", '{ certificate: "dns:ops.example.org", scopes: [keys:read], tenant: acme }'],
  ["a common name", '{ certificate: "cn:Ops Team", scopes: [keys:read], owner: service/ci }'],
  ["claims", '{ claims: { groups: ops, "https://example.com/role": "1" }, scopes: [system:write] }'],
  [
    "a tenant and an owner of the token",
    '{ claims: { a: b }, scopes: [keys:write], tenant: "{org}", owner: "user/{sub}" }',
  ],
  ["grantable scopes", '{ claims: { a: b }, scopes: [keys:write], owner: "user/{sub}", grantable_scopes: ["*"] }'],
])("an identity by %s is taken", (_, entry) => {
  expect(problemsOf(identity(entry))).toEqual([]);
});

const ADMIN = "keys:read, keys:write, owners:write, audit:read, admins:write, system:write";
const CERTIFICATE = "must be a URI such as spiffe://example.org/ops, or dns:, email: or cn: and a name";

test.each([
  ["by nothing", "{ scopes: [keys:read] }", " must have either certificate or claims"],
  [
    "by two things",
    '{ certificate: "cn:a", claims: { a: b }, scopes: [keys:read] }',
    " must have either certificate or claims",
  ],
  ["by claims of which there are none", "{ claims: {}, scopes: [keys:read] }", ".claims must name at least one claim"],
  [
    "by a claim that is no text",
    "{ claims: { a: 1 }, scopes: [keys:read] }",
    ".claims.a 1 must be text, so put it in quotes",
  ],
  ["by a name of no kind", '{ certificate: "ops", scopes: [keys:read] }', `.certificate "ops" ${CERTIFICATE}`],
  [
    "by a name of an unknown kind",
    '{ certificate: "ou:ops", scopes: [keys:read] }',
    `.certificate "ou:ops" ${CERTIFICATE}`,
  ],
  ["without scopes", "{ claims: { a: b } }", " has no scopes"],
  ["with an empty list of scopes", "{ claims: { a: b }, scopes: [] }", ".scopes must name at least one admin scope"],
  [
    "with a scope of the data plane",
    "{ claims: { a: b }, scopes: [api:read] }",
    `.scopes[0] "api:read" must be one of ${ADMIN}`,
  ],
  [
    "with a scope that no owner can use",
    '{ claims: { a: b }, scopes: [audit:read], owner: "user/{sub}" }',
    '.scopes[0] "audit:read" must be one of keys:read, keys:write where there is an owner',
  ],
  [
    "with a tenant of a certificate's own",
    '{ certificate: "cn:a", scopes: [keys:read], tenant: "{org}" }',
    '.tenant "{org}" must be 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit, or with claims "{claim}"',
  ],
  [
    "with half a tenant of the token",
    '{ claims: { a: b }, scopes: [keys:read], tenant: "t-{org}" }',
    '.tenant "t-{org}" must be 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit, or with claims "{claim}"',
  ],
  [
    "with an owner of no kind",
    '{ claims: { a: b }, scopes: [keys:read], owner: "{sub}" }',
    '.owner "{sub}" must be "user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -, or with claims "user/{claim}"',
  ],
  [
    "with grantable scopes and no owner",
    "{ claims: { a: b }, scopes: [keys:read], grantable_scopes: [a] }",
    ".grantable_scopes needs owner beside it; those of a tenant stand in tenants",
  ],
  [
    "with a grantable scope that is none",
    '{ claims: { a: b }, scopes: [keys:read], owner: user/a, grantable_scopes: ["a b"] }',
    '.grantable_scopes[0] "a b" is not among the scopes',
  ],
])("an identity %s is refused", (_, entry, problem) => {
  expect(problemsOf(identity(entry))).toEqual([`k.yaml:4: admin_identities[0]${problem}`]);
});

test("an identity needs what it is told by", () => {
  const [certificate, claims] = [
    '{ certificate: "cn:a", scopes: [keys:read] }',
    "{ claims: { a: b }, scopes: [keys:read] }",
  ];
  expect(problemsOf(`${OIDC}admin_identities: [${certificate}, ${claims}]`)).toEqual([
    "k.yaml:2: admin_identities[0].certificate needs tls.admin.client_ca",
  ]);
  expect(problemsOf(`${TLS}admin_identities: [${certificate}, ${claims}]`)).toEqual([
    "k.yaml:2: admin_identities[1].claims needs oidc.issuer",
  ]);
});

const URL_BOUND = "must be an https URL without query and fragment; on this machine also http";

test.each([
  ["http://127.0.0.1:8080/realm", []],
  ["http://127.0.0.2:8080", [`k.yaml:1: oidc.issuer "http://127.0.0.2:8080" ${URL_BOUND}`]],
  ["http://login.example.com", [`k.yaml:1: oidc.issuer "http://login.example.com" ${URL_BOUND}`]],
  ["https://login.example.com/?a", [`k.yaml:1: oidc.issuer "https://login.example.com/?a" ${URL_BOUND}`]],
  ["login.example.com", [`k.yaml:1: oidc.issuer "login.example.com" ${URL_BOUND}`]],
  ["ftp://127.0.0.1", [`k.yaml:1: oidc.issuer "ftp://127.0.0.1" ${URL_BOUND}`]],
])("%s as an issuer is judged", (issuer, problems) => {
  expect(problemsOf(`oidc: { issuer: "${issuer}", audience: a }`)).toEqual(problems);
});

test("an issuer without an audience is refused", () => {
  expect(problemsOf('oidc: { issuer: "https://login.example.com" }')).toEqual([
    'k.yaml:1: oidc.issuer "https://login.example.com" needs oidc.audience beside it: tokens for others must open nothing here',
  ]);
});

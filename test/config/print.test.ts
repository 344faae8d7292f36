import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LoadedSettings, loadSettings } from "../../src/config/load.ts";
import { printSettings } from "../../src/config/print.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { selfSigned } from "../support/certificates.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-print-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const EVERYTHING = `
mode: admin
database: "a # b: c.db"
listen: { authz: off, admin: "[::1]:0", admin_local: unix:/tmp/x.sock, ops: "unix:o.sock" }
default_access: public
on_store_error: error
shutdown_delay: 1500ms
shutdown_timeout: 90
log: { level: trace, format: json }
cache: { max_keys: 7, max_unknown: 8 }
realm: "true"
www_authenticate: off
client_address: { trusted_hops: 2 }
key_lifetime: { default: 30d, max: 90d }
expiry_warning: 36h
identity_headers: { owner: x-owner }
write_admin_key: "#key"
rest: { default_format: jwt }
jwt: { issuer: "https://keys.example.com/#1", audience: "null" }
routes:
  - { path: "/a/**", host: a.example.com, methods: [GET, POST], scopes: [a:b, "1"], match: all }
  - { path: /b, access: public }
  - { path: "/t/{t}/{u}", tenant: "{t}", owner: "user/u-{u}", forward_credential: true, stale: { serve_for: 90s, then: deny } }
credentials:
  - { from: bearer }
  - { from: scheme, name: Token }
  - { from: header, name: X-Key }
  - { from: basic, username: "*" }
  - { from: query, name: "1" }
  - { from: cookie, name: "null" }
scopes:
  a:b: { description: "# all of it: yes", implies: ["1", "*"] }
  "1":
oidc: { issuer: "https://login.example.com/realms/a", audience: "null", clock_tolerance: 90 }
tls: { admin: { cert: cert.pem, key: key.pem, client_ca: cert.pem } }
admin_identities:
  - { certificate: "cn:# ops", scopes: ["keys:read"] }
  - { claims: { "a.b": "1", x: "# y" }, scopes: ["keys:write"], tenant: "{org}", owner: "user/{sub}", grantable_scopes: ["1"] }
tenants:
  acme: { grantable_scopes: ["*", a:b, "1"], prefix: "1" }
  "2":
  constructor: { grantable_scopes: [] }
`;

function loadText(text: string): LoadedSettings {
  const { cert, key } = selfSigned();
  writeFileSync(join(cwd, "cert.pem"), cert);
  writeFileSync(join(cwd, "key.pem"), key);
  writeFileSync(join(cwd, "keyward.yaml"), text);
  return loadSettings({ flags: {}, env: {}, cwd });
}

test.each([
  ["nothing", ""],
  ["everything", EVERYTHING],
])("what is printed of a file that sets %s gives the same settings when it is read again", (_, text) => {
  const first = loadText(text);
  const again = loadText(printSettings(first));
  expect(again.settings).toEqual(first.settings);
  expect(again.settings.credentials).toHaveLength(text === "" ? 3 : 6);
});

test("each value is printed with its origin, and the admin key not at all", () => {
  writeFileSync(join(cwd, "keyward.yaml"), "realm: a b\nroutes:\n  - { path: /, access: deny }\nscopes: { a: }\n");
  const adminKey = writeSecret("kwadm", new Uint8Array(32).fill(9));
  const env = { KEYWARD_ADMIN_KEY: adminKey, KEYWARD_LOG_LEVEL: "warn" };
  const printed = printSettings(loadSettings({ flags: { "check-threads": "2" }, env, cwd })).split("\n");
  expect(printed).toEqual(
    expect.arrayContaining([
      "mode: all # default",
      "check_threads: 2 # flag --check-threads",
      "  level: warn # env KEYWARD_LOG_LEVEL",
      "realm: a b # keyward.yaml:1",
      "  # keyward.yaml:2",
      "  # keyward.yaml:4",
      "  a: {}",
      "  # default",
      "  - from: bearer",
      "    name: apikey",
      "www_authenticate: on # default",
      "expiry_warning: 7d # default",
      "# default_access: unset",
      "# write_admin_key: unset",
      "# admin_key: <redacted> (env KEYWARD_ADMIN_KEY)",
    ]),
  );
  expect(printed.join("\n")).not.toContain(adminKey.slice(6, 14));
});

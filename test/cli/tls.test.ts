import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AUDIENCE, type Issuer, startIssuer } from "../admin/support/issuer.ts";
import { createAuthority } from "../support/certificates.ts";
import { runCli } from "../support/cli.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";

const authority = createAuthority();
const client = authority.issue({ names: ["ops"], alternatives: [] });
const stranger = authority.issue({ names: ["stranger"], alternatives: [] });

let folder: string;
let issuer: Issuer;
/** One that takes any client, and one that asks for certificates. */
let open: Keyward;
let closed: Keyward;
let adminKey: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyward-"));
  issuer = await startIssuer();
  const server = authority.issue();
  const files = {
    "cert.pem": server.cert,
    "key.pem": server.key,
    "ca.pem": authority.cert,
    "other-ca.pem": createAuthority("another").cert,
    "me.pem": client.cert,
    "me.key": client.key,
    "stranger.pem": stranger.cert,
    "stranger.key": stranger.key,
    token: await issuer.token({ group: "ops" }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map((name) => join(folder, name));
  const identities = `
oidc: { issuer: "${issuer.url}", audience: ${AUDIENCE} }
admin_identities:
  - { claims: { group: ops }, scopes: [keys:read] }
`;
  open = await startKeyward({ config: `tls: { admin: { cert: ${cert}, key: ${key} } }\n${identities}` });
  const byCertificate = "  - { certificate: cn:ops, scopes: [keys:read] }\n";
  const tls = `tls: { admin: { cert: ${cert}, key: ${key}, client_ca: ${ca} } }\n`;
  closed = await startKeyward({ config: tls + identities + byCertificate });
  adminKey = (await open.cli("admin-keys", "create", "--name", "x", "-q")).stdout.trim();
  await open.cli("keys", "create", "--name", "x");
  await closed.cli("keys", "create", "--name", "x");
});
afterAll(async () => {
  await open.stop();
  await closed.stop();
  await issuer.stop();
  rmSync(folder, { recursive: true });
});

async function list(keyward: Keyward, env: Record<string, string>, ...flags: string[]) {
  const url = `https://localhost:${keyward.admin.split(":")[1]}`;
  const args = ["keys", "list", "-q", "--admin-url", url, ...flags];
  const { code, stdout, stderr } = await runCli(args, { cwd: folder, env });
  return { code, keys: stdout.split("\n").length - 1, stderr: stderr.replace(url, "URL") };
}

const FOUND = { code: 0, keys: 1, stderr: "" };
const refused = (code: number, stderr: string) => ({ code, keys: 0, stderr: `keyward: ${stderr}\n` });

describe("over https", () => {
  test("an admin key goes to a server whose authority is trusted, and to no other", async () => {
    const env = { KEYWARD_ADMIN_KEY: adminKey };
    expect(await list(open, env, "--admin-ca", "ca.pem")).toEqual(FOUND);
    expect(await list(open, { ...env, KEYWARD_ADMIN_CA: "ca.pem" })).toEqual(FOUND);
    const untrusted =
      "URL: its certificate is not of an authority that is trusted; --admin-ca names the file of one (UNABLE_TO_VERIFY_LEAF_SIGNATURE)";
    expect(await list(open, env, "--admin-ca", "other-ca.pem")).toEqual(refused(1, untrusted));
    expect(await list(open, env)).toEqual(refused(1, untrusted));
  });

  test("a server of another name is not trusted", async () => {
    const { code, stderr } = await runCli(
      ["keys", "list", "--admin-url", `https://127.0.0.2:${open.admin.split(":")[1]}`, "--admin-ca", "ca.pem"],
      { cwd: folder, env: { KEYWARD_ADMIN_KEY: adminKey } },
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/127\.0\.0\.2|another host/) });
  });

  test("a URL without TLS is told that there may be some", async () => {
    const args = ["keys", "list", "--admin-url", `http://${open.admin}`];
    const { code, stderr } = await runCli(args, { cwd: folder, env: { KEYWARD_ADMIN_KEY: adminKey } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/it may speak TLS \(https:\/\/\)\n$/) });
  });

  test("a token comes from KEYWARD_ADMIN_TOKEN, or from the file of KEYWARD_ADMIN_TOKEN_FILE", async () => {
    const token = await issuer.token({ group: "ops" });
    const wrong = await issuer.token({ group: "op" });
    expect(await list(open, { KEYWARD_ADMIN_TOKEN: token, KEYWARD_ADMIN_CA: "ca.pem" })).toEqual(FOUND);
    expect(await list(open, { KEYWARD_ADMIN_TOKEN_FILE: "token", KEYWARD_ADMIN_CA: "ca.pem" })).toEqual(FOUND);
    expect(await list(open, { KEYWARD_ADMIN_TOKEN: wrong, KEYWARD_ADMIN_CA: "ca.pem" })).toEqual(
      refused(1, "the admin key or token is not valid"),
    );
  });

  test("a client certificate is enough where it is known", async () => {
    const ca = { KEYWARD_ADMIN_CA: "ca.pem" };
    expect(await list(closed, ca, "--admin-cert", "me.pem", "--admin-cert-key", "me.key")).toEqual(FOUND);
    const env = { ...ca, KEYWARD_ADMIN_CERT: "me.pem", KEYWARD_ADMIN_CERT_KEY: "me.key" };
    expect(await list(closed, env)).toEqual(FOUND);
    expect(await list(closed, ca, "--admin-cert", "stranger.pem", "--admin-cert-key", "stranger.key")).toEqual(
      refused(1, "an admin key is needed: Authorization: Bearer kwadm_…"),
    );
  });

  test("a server that asks for a certificate says so", async () => {
    const { code, stderr } = await list(closed, { KEYWARD_ADMIN_KEY: adminKey, KEYWARD_ADMIN_CA: "ca.pem" });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^keyward: URL.* client certificate.*\n$/),
    });
  });
});

describe("what cannot be meant is refused:", () => {
  const key = { KEYWARD_ADMIN_KEY: "kwadm_x" };
  test.each<[title: string, env: Record<string, string>, flags: string[], message: string]>([
    ["a certificate alone", key, ["--admin-cert", "me.pem"], "--admin-cert needs --admin-cert-key beside it"],
    ["a key alone", key, ["--admin-cert-key", "me.key"], "--admin-cert-key needs --admin-cert beside it"],
    ["a file that is not there", key, ["--admin-ca", "no.pem"], "--admin-ca: no.pem cannot be read (ENOENT)"],
    [
      "a variable that names none",
      { ...key, KEYWARD_ADMIN_CA: "no.pem" },
      [],
      "KEYWARD_ADMIN_CA: no.pem cannot be read (ENOENT)",
    ],
    [
      "a key and a token",
      { ...key, KEYWARD_ADMIN_TOKEN: "x" },
      [],
      "KEYWARD_ADMIN_KEY and KEYWARD_ADMIN_TOKEN, or their files, must not both be set",
    ],
    [
      "a token of two lines",
      { KEYWARD_ADMIN_TOKEN: "a\nb" },
      [],
      "no token: KEYWARD_ADMIN_TOKEN must hold one, and nothing else",
    ],
  ])("%s", async (_, env, flags, message) => {
    expect(await list(open, env, ...flags)).toEqual(refused(2, message));
  });

  test("a certificate that nobody could be shown", async () => {
    const args = [
      "keys",
      "list",
      "--admin-url",
      "http://127.0.0.1:1",
      "--admin-cert",
      "me.pem",
      "--admin-cert-key",
      "me.key",
    ];
    expect(await runCli(args, { cwd: folder })).toMatchObject({
      code: 2,
      stderr: "keyward: --admin-cert can be shown over https:// only, and --admin-url is http://127.0.0.1:1\n",
    });
  });
});

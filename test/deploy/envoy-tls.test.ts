import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream } from "../../demo/upstream.ts";
import { sendHttp1 } from "../e2e/support/client.ts";
import { createAuthority, type Issued } from "../support/certificates.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { until } from "../support/until.ts";
import { DEPLOY } from "./support/manifests.ts";
import { onThisMachine } from "./support/on-this-machine.ts";

const SHIPPED = join(DEPLOY, "kubernetes/envoy-tls");
const NAME = "keyward.keyward.svc.cluster.local";

/** Puts a Secret of cert-manager's form into a folder as Kubernetes mounts it, and swaps a later one in as it does. */
function mountSecret(folder: string, { cert, key }: Issued, authority: Issued): void {
  const files = { "tls.crt": cert, "tls.key": key, "ca.crt": authority.cert };
  mkdirSync(folder, { recursive: true });
  const version = `..${readdirSync(folder).length}`;
  mkdirSync(join(folder, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, version, name), text);
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  for (const name of Object.keys(files)) {
    rmSync(join(folder, name), { force: true });
    symlinkSync(`..data/${name}`, join(folder, name));
  }
}

describe("deploy/kubernetes/envoy-tls", () => {
  const place = mkdtempSync(join(tmpdir(), "keyward-tls-"));
  const [keywardFiles, envoyFiles] = [join(place, "keyward"), join(place, "envoy")];
  const [authority, stranger] = [createAuthority(), createAuthority("a stranger")];
  let keyward: Keyward;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let envoy: Envoy;
  let secret: string;

  /** A shipped file with the folders of a pod replaced by those of this test. */
  const here = (name: string) =>
    readFileSync(join(SHIPPED, name), "utf8")
      .replaceAll("/etc/keyward-tls", envoyFiles)
      .replaceAll("/etc/envoy", place);

  beforeAll(async () => {
    mountSecret(keywardFiles, authority.issue({ alternatives: [`dns:${NAME}`], usages: ["server"] }), authority);
    mountSecret(envoyFiles, stranger.issue({ usages: ["client"] }), authority);
    for (const name of ["sds-certificate.yaml", "sds-authority.yaml"]) writeFileSync(join(place, name), here(name));
    upstream = await startUpstream();
    const { CERT, KEY, CLIENT_CA } = variablesOf(readFileSync(join(DEPLOY, "kubernetes/tls/statefulset.yaml"), "utf8"));
    const file = (path = "") => path.replace("/etc/keyward-tls", keywardFiles);
    keyward = await startKeyward({
      env: {
        KEYWARD_TLS_AUTHZ_CERT: file(CERT),
        KEYWARD_TLS_AUTHZ_KEY: file(KEY),
        KEYWARD_TLS_AUTHZ_CLIENT_CA: file(CLIENT_CA),
      },
    });
    const { stdout } = await keyward.cli("keys", "create", "--name", "ci", "-q");
    secret = stdout.trim();
    envoy = await startEnvoy({ config: onThisMachine(here("envoy.yaml"), keyward.authz, upstream.port) });
  });
  afterAll(async () => {
    await envoy?.stop();
    await keyward?.stop();
    await upstream?.stop();
    rmSync(place, { recursive: true });
  });
  const get = (presented: string) => sendHttp1(envoy.port("ingress"), { path: "/v1/orders", secret: presented });

  test("is refused with a certificate of another authority, and nothing gets through", async () => {
    const answer = await get(secret);
    expect(answer).toMatchObject({ status: 503, reason: undefined });
    expect(answer).not.toHaveProperty("seen");
  });

  test("takes a renewed certificate up without a restart: a key opens, and none that is mistyped", async () => {
    mountSecret(envoyFiles, authority.issue({ usages: ["client"] }), authority);
    await until("Envoy uses the new certificate", async () => (await get(secret)).status === 200);
    const mistyped = secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
    expect(await get(mistyped)).toMatchObject({ status: 401, reason: "malformed_credential" });
  });

  test("does not ask a Keyward whose certificate bears another name", async () => {
    mountSecret(keywardFiles, authority.issue({ alternatives: ["dns:other.keyward.svc.cluster.local"] }), authority);
    const other = await startKeyward({
      env: {
        KEYWARD_TLS_AUTHZ_CERT: join(keywardFiles, "tls.crt"),
        KEYWARD_TLS_AUTHZ_KEY: join(keywardFiles, "tls.key"),
      },
    });
    const config = onThisMachine(here("envoy.yaml"), other.authz, upstream.port);
    const asking = await startEnvoy({ config });
    try {
      expect(await sendHttp1(asking.port("ingress"), { path: "/", secret })).toMatchObject({ status: 503 });
    } finally {
      await asking.stop();
      await other.stop();
    }
  });
});

/** What the component tells Keyward: `CERT`, `KEY` and `CLIENT_CA`. */
function variablesOf(text: string): Record<string, string> {
  const found = text.matchAll(/name: KEYWARD_TLS_AUTHZ_(\w+), value: (\S+) }/g);
  return Object.fromEntries([...found].map(([, name = "", value = ""]) => [name, value]));
}

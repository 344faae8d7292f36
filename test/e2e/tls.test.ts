import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { shippedEnvoyConfig } from "../../demo/envoy-config.ts";
import { startUpstream } from "../../demo/upstream.ts";
import { createKey } from "../support/admin-call.ts";
import { createAuthority, type Issued } from "../support/certificates.ts";
import { startEnvoy } from "../support/envoy.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { logged } from "../support/logged.ts";

const ours = createAuthority("keyward's authority");
const theirs = createAuthority("envoy's authority");
const newServer = () => ours.issue({ alternatives: ["dns:keyward.internal"], usages: ["server"] });

let folder: string;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let keyward: Keyward;
let secret: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyward-"));
  writeServer(newServer());
  writeFileSync(join(folder, "keyward-ca.crt"), ours.cert);
  writeFileSync(join(folder, "envoy-ca.crt"), theirs.cert);
  upstream = await startUpstream();
  const files = ["cert: tls.crt", "key: tls.key", "client_ca: envoy-ca.crt"].map((file) =>
    file.replace(": ", `: ${folder}/`),
  );
  keyward = await startKeyward({ config: `tls: { authz: { ${files.join(", ")} } }\n` });
  ({ secret } = await createKey(keyward.adminSocket));
});
afterAll(async () => {
  await keyward.stop();
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

function writeServer({ cert, key }: Issued): void {
  for (const [name, text] of Object.entries({ "tls.crt": cert, "tls.key": key })) {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

/** What docs/security.md says that Envoy's cluster needs, with the files of a client. */
function documentedSocket(name: string, client: Issued | undefined): string {
  const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
  const [, block = ""] = /```yaml\n(transport_socket:\n[^`]+)```/.exec(page) ?? [];
  if (client === undefined)
    return block.replace(/^ *tls_certificates.*\n/m, "").replaceAll(/(\w+-ca\.crt)/g, `${folder}/$1`);
  writeFileSync(join(folder, `${name}.crt`), client.cert);
  writeFileSync(join(folder, `${name}.key`), client.key);
  return block
    .replace("envoy.crt", `${folder}/${name}.crt`)
    .replace("envoy.key", `${folder}/${name}.key`)
    .replaceAll(/(\w+-ca\.crt)/g, `${folder}/$1`);
}

/** Starts the shipped Envoy with TLS to Keyward, and returns what asks for a page through it. */
async function envoyWith(name: string, client: Issued | undefined, change = (socket: string) => socket) {
  const ports = { keyward: Number(keyward.authz.split(":")[1]), upstream: upstream.port };
  const config = parse(await shippedEnvoyConfig(ports));
  const cluster = config.static_resources.clusters.find((candidate: { name: string }) => candidate.name === "keyward");
  Object.assign(cluster, parse(change(documentedSocket(name, client))));
  const envoy = await startEnvoy({ config });
  onTestFinished(() => envoy.stop());
  return async (key: string) => {
    const answer = await fetch(`http://127.0.0.1:${envoy.port("ingress")}/`, { headers: { "x-api-key": key } });
    await answer.arrayBuffer();
    return answer.status;
  };
}

const client = () => theirs.issue({ names: ["envoy"], alternatives: [], usages: ["client"] });

test("the documented Envoy asks over mutual TLS, also after the certificate was renewed", async () => {
  const ask = await envoyWith("good", client());
  expect([await ask(secret), await ask(`${secret.slice(0, -1)}_`)]).toEqual([200, 401]);
  writeServer(newServer());
  await logged(keyward, "the certificate of listen.authz was renewed");
  expect([await ask(secret), await ask(`${secret.slice(0, -1)}_`)]).toEqual([200, 401]);
  const fresh = await envoyWith("fresh", client());
  expect(await fresh(secret)).toBe(200);
});

test.each<[title: string, client: () => Issued | undefined, change?: (socket: string) => string]>([
  ["without a certificate", () => undefined],
  ["with a certificate of another authority", () => ours.issue({ usages: ["client"] })],
  ["with a certificate that has ended", () => theirs.issue({ usages: ["client"], validForMs: -60_000 })],
  ["that expects another name", client, (socket) => socket.replaceAll("keyward.internal", "keyward.interna1")],
  ["that trusts another authority", client, (socket) => socket.replace("keyward-ca.crt", "envoy-ca.crt")],
  ["without TLS", client, () => "{}"],
])("an Envoy %s lets nobody in", async (title, issued, change) => {
  const ask = await envoyWith(title.replaceAll(" ", "-"), issued(), change);
  expect(await ask(secret)).toBe(503);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { loadSettings } from "../../../src/config/load.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { VERSION } from "../../../src/version.ts";
import { DEPLOY, kustomize, type Resource } from "../../deploy/support/manifests.ts";
import { type Container, containersOf, selected, type Workload, workloadsOf } from "../../deploy/support/workloads.ts";
import { ENVOY_VERSION } from "../../support/envoy.ts";

const UNPRIVILEGED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

const IMAGES: Readonly<Record<string, string>> = {
  keyward: `keyward:${VERSION}`,
  envoy: `envoyproxy/envoy:distroless-v${ENVOY_VERSION}`,
};

/** What a container of Keyward is told by its variables, its image's and its ConfigMap. */
function settingsOf(keyward: Container, resources: readonly Resource[], workload: Workload): Settings {
  const folder = mkdtempSync(join(tmpdir(), "keyward-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // The files of a Secret are not here; test/deploy/envoy-tls.test.ts starts Keyward with them.
  const told = keyward.env.filter(({ value }) => !value?.startsWith("/etc/keyward-tls/"));
  const env = Object.fromEntries(told.map(({ name, value }) => [name, value]));
  const mount = keyward.volumeMounts.find(({ mountPath }) => mountPath === "/etc/keyward");
  const volume = workload.spec.template.spec.volumes.find(({ name }) => name === mount?.name);
  const map = resources.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === volume?.configMap?.name);
  expect(env.KEYWARD_CONFIG).toBe("/etc/keyward/keyward.yaml");
  const { "keyward.yaml": text = "" } = (map?.data ?? {}) as Record<string, string>;
  writeFileSync(join(folder, "keyward.yaml"), text);
  const loaded = loadSettings({
    flags: {},
    cwd: folder,
    env: { ...env, KEYWARD_CONFIG: join(folder, "keyward.yaml") },
  });
  expect(loaded.warnings.filter((warning) => /is not a setting/.test(warning))).toEqual([]);
  return loaded.settings;
}

const portOf = (address: Settings["listen"]["authz"]) => (address?.kind === "tcp" ? address.port : undefined);
const isLoopback = (address: Settings["listen"]["authz"]) => address?.kind === "tcp" && address.host === "127.0.0.1";

describe.each(["gateway", "central", "envoy", "envoy-tls"])("deploy/kubernetes/%s", (folder) => {
  let resources: Resource[];
  let workloads: Workload[];
  beforeAll(async () => {
    resources = await kustomize(join(DEPLOY, "kubernetes", folder));
    workloads = workloadsOf(resources);
  });
  const all = () => workloads.flatMap(containersOf);
  const ofKind = (kind: string) => resources.filter((resource) => resource.kind === kind);

  test("gives every program the least rights", () => {
    expect(all().map(({ securityContext }) => securityContext)).toEqual(all().map(() => UNPRIVILEGED));
    for (const { spec } of workloads) {
      expect(spec.template.spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      });
    }
  });

  test("runs the version of this package and the Envoy that the tests run", () => {
    expect(all().map(({ image }) => image)).toEqual(all().map(({ name }) => IMAGES[name]));
  });

  test("asks for memory, and limits no CPU", () => {
    for (const { resources: claim } of all()) {
      expect(claim.requests).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
      expect(claim.limits).toEqual({ memory: expect.any(String) });
    }
  });

  test("selects pods that are there, by ports that they have", () => {
    for (const { spec } of workloads) expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    for (const service of ofKind("Service")) {
      const { selector, ports } = service.spec as {
        selector: Record<string, string>;
        ports: { targetPort: string; port: number }[];
      };
      const [workload, ...others] = selected(workloads, selector);
      expect(others).toEqual([]);
      const names = workload && containersOf(workload).flatMap((one) => one.ports.map(({ name }) => name));
      for (const { targetPort } of ports) expect(names).toContain(targetPort);
    }
    for (const { spec } of [...ofKind("NetworkPolicy"), ...ofKind("PodDisruptionBudget")]) {
      const { selector, podSelector } = spec as Record<string, { matchLabels: Record<string, string> }>;
      expect(selected(workloads, (selector ?? podSelector)?.matchLabels ?? {})).toHaveLength(1);
    }
  });

  test("lets in by its network policies only what has a port", () => {
    for (const { spec } of ofKind("NetworkPolicy")) {
      const { podSelector, ingress } = spec as {
        podSelector: { matchLabels: Record<string, string> };
        ingress: { ports: { port: string }[] }[];
      };
      const [workload] = selected(workloads, podSelector.matchLabels);
      const names = workload && containersOf(workload).flatMap((one) => one.ports.map(({ name }) => name));
      for (const { port } of ingress.flatMap((rule) => rule.ports)) expect(names).toContain(port);
    }
  });

  test("mounts what there is, and the database's volume in Keyward alone", () => {
    for (const workload of workloads) {
      const { template, volumeClaimTemplates } = workload.spec;
      const claims = volumeClaimTemplates.map(({ metadata }) => metadata.name);
      const known = [...template.spec.volumes.map(({ name }) => name), ...claims];
      for (const { name, volumeMounts } of containersOf(workload)) {
        for (const mount of volumeMounts) expect(known).toContain(mount.name);
        const holdsData = volumeMounts.some((mount) => claims.includes(mount.name));
        expect({ name, holdsData }).toEqual({ name, holdsData: name === "keyward" });
      }
    }
  });

  test("leaves Envoy the time to drain and Keyward the time to end", () => {
    for (const workload of workloads) {
      const { spec } = workload.spec.template;
      const drainS = Math.max(0, ...containersOf(workload).map((one) => one.lifecycle?.preStop.sleep.seconds ?? 0));
      const keyward = containersOf(workload).find(({ name }) => name === "keyward");
      const settings = keyward && settingsOf(keyward, resources, workload);
      const endMs = settings === undefined ? 0 : settings.shutdownDelayMs + settings.shutdownTimeoutMs;
      expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(drainS * 1000 + endMs);
    }
  });
});

describe.each([
  { folder: "gateway", sidecar: true },
  { folder: "central", sidecar: false },
])("Keyward in deploy/kubernetes/$folder", ({ folder, sidecar }) => {
  let resources: Resource[];
  let workload: Workload;
  let keyward: Container;
  beforeAll(async () => {
    resources = await kustomize(join(DEPLOY, "kubernetes", folder));
    const [found] = workloadsOf(resources);
    const program = found && containersOf(found).find(({ name }) => name === "keyward");
    if (found === undefined || program === undefined) throw new Error(`${folder} runs no Keyward`);
    [workload, keyward] = [found, program];
  });

  test("is one, and a StatefulSet never runs two", () => {
    const sets = resources.filter(({ kind }) => kind === "StatefulSet");
    expect(sets.map(({ spec }) => (spec as { replicas: number }).replicas)).toEqual([1]);
  });

  test("listens on the ports that its container names and its probes ask", () => {
    const { listen } = settingsOf(keyward, resources, workload);
    const ports = Object.fromEntries(keyward.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports).toEqual(
      sidecar ? { ops: portOf(listen.ops) } : { authz: portOf(listen.authz), ops: portOf(listen.ops) },
    );
    const { startupProbe, readinessProbe, livenessProbe } = keyward;
    const asked = { startup: startupProbe, readiness: readinessProbe, liveness: livenessProbe };
    const overHttp = (path: string) => ({ httpGet: { path, port: "ops" } });
    const grpc = { port: portOf(listen.authz) };
    expect(asked).toMatchObject(
      sidecar
        ? { startup: overHttp("/readyz"), readiness: overHttp("/readyz"), liveness: overHttp("/healthz") }
        : { startup: { grpc }, readiness: { grpc }, liveness: overHttp("/healthz") },
    );
  });

  test("serves the admin API on this pod's loopback alone, and checks there too where Envoy is beside it", () => {
    const { listen } = settingsOf(keyward, resources, workload);
    expect({ admin: isLoopback(listen.admin), authz: isLoopback(listen.authz) }).toEqual({
      admin: true,
      authz: sidecar,
    });
  });

  test("starts before Envoy and ends after it where it is a sidecar", () => {
    const { initContainers } = workload.spec.template.spec;
    expect(initContainers.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual(
      sidecar ? [["keyward", "Always"]] : [],
    );
  });
});

describe("deploy/kubernetes/envoy-tls", () => {
  test("asks Keyward for its health where the kubelet can, which speaks no TLS", async () => {
    const workloads = workloadsOf(await kustomize(join(DEPLOY, "kubernetes/envoy-tls")));
    const keyward = workloads.flatMap(containersOf).find(({ name }) => name === "keyward");
    const httpGet = { path: "/readyz", port: "ops" };
    expect(keyward?.startupProbe).toEqual({ httpGet, periodSeconds: 1, failureThreshold: 120 });
    expect(keyward?.readinessProbe).toEqual({ httpGet, periodSeconds: 5, timeoutSeconds: 2 });
  });

  test("gives each program the Secret of its own certificate, all of one authority", async () => {
    const resources = await kustomize(join(DEPLOY, "kubernetes/envoy-tls"));
    const certificates = resources.filter(({ kind }) => kind === "Certificate").map(({ spec }) => spec);
    expect(certificates).toMatchObject([
      { secretName: "envoy-tls", usages: ["client auth"], issuerRef: { name: "keyward-ca" } },
      { secretName: "keyward-tls", usages: ["server auth"], issuerRef: { name: "keyward-ca" } },
      { secretName: "keyward-ca", isCA: true },
    ]);
    const volumes = workloadsOf(resources).map(({ metadata, spec }) => [
      metadata.name,
      spec.template.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? []),
    ]);
    expect(Object.fromEntries(volumes)).toEqual({ envoy: ["envoy-tls"], keyward: ["keyward-tls"] });
  });
});

describe("the gateways of others", () => {
  test.each([
    [
      "istio/mesh-config.yaml",
      ["meshConfig", "extensionProviders", 0, "envoyExtAuthzGrpc", "service"],
      "keyward.keyward.svc.cluster.local",
    ],
    ["istio/mesh-config.yaml", ["meshConfig", "extensionProviders", 0, "envoyExtAuthzGrpc", "port"], 9000],
    ["istio/mesh-config.yaml", ["meshConfig", "extensionProviders", 0, "envoyExtAuthzGrpc", "failOpen"], false],
    [
      "envoy-gateway/securitypolicy.yaml",
      ["spec", "extAuth", "grpc", "backendRefs", 0],
      { name: "keyward", namespace: "keyward", port: 9000 },
    ],
    ["envoy-gateway/securitypolicy.yaml", ["spec", "extAuth", "failOpen"], false],
    ["envoy-gateway/referencegrant.yaml", ["spec", "to", 0], { group: "", kind: "Service", name: "keyward" }],
    ["contour/extensionservice.yaml", ["spec", "services", 0], { name: "keyward", port: 9000 }],
    ["contour/extensionservice.yaml", ["metadata", "namespace"], "keyward"],
    ["contour/httpproxy.yaml", ["spec", "virtualhost", "authorization", "failOpen"], false],
  ])("%s says at %j what the central Keyward is", (path, at, expected) => {
    const file = parse(readFileSync(join(DEPLOY, "kubernetes", path), "utf8"));
    expect(at.reduce((value, key) => value?.[key], file)).toEqual(expected);
  });

  test("find the Service of the central Keyward at that port, as HTTP/2", async () => {
    const resources = await kustomize(join(DEPLOY, "kubernetes/central"));
    const service = resources.find(({ kind, metadata }) => kind === "Service" && metadata.name === "keyward");
    expect(service).toMatchObject({
      metadata: { namespace: "keyward" },
      spec: { ports: [{ port: 9000, targetPort: "authz", appProtocol: "kubernetes.io/h2c" }] },
    });
  });
});

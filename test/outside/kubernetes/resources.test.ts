import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { DEPLOY, kustomize, onlyOne, type Resource } from "../../deploy/support/manifests.ts";
import { breaches } from "../../deploy/support/schemas.ts";

const FOLDER = join(DEPLOY, "kubernetes");
const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".yaml"));
const folders = files.filter((path) => path.endsWith("kustomization.yaml")).map(dirname);
const kustomizationOf = (folder: string) => parse(readFileSync(join(FOLDER, folder, "kustomization.yaml"), "utf8"));
/** A component is built with what it is added to. */
const whole = folders.filter((folder) => kustomizationOf(folder).kind === "Kustomization");
const kindOf = ({ apiVersion, kind }: Resource) => `${apiVersion} ${kind}`;
const breachesIn = (resources: readonly Resource[]) =>
  resources.flatMap((one) => breaches(kindOf(one), one).map((breach) => `${kindOf(one)}: ${breach}`));

/** What is compared of a pod and its containers. */
interface Container {
  image: string;
  securityContext: object;
  volumeMounts: { name: string }[];
}
interface PodTemplate {
  spec: { containers: Container[]; securityContext: object; volumes: object[] };
}

/** What a kustomization in a folder of its own gives. */
async function kustomizeHere(text: (path: string) => string): Promise<Resource[]> {
  const folder = mkdtempSync(join(tmpdir(), "kustomization-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kustomization.yaml"), text(relative(folder, FOLDER)));
  return kustomize(folder);
}

test("each kustomization is one of those that are documented", () => {
  const documented = readFileSync(join(DEPLOY, "../docs/kubernetes.md"), "utf8");
  expect(folders.filter((folder) => !documented.includes(`deploy/kubernetes/${folder}`))).toEqual([]);
  expect(folders.length).toBeGreaterThan(6);
});

test("each file is one that a kustomization names, or is validated elsewhere", () => {
  const named = folders.flatMap((folder) => {
    const { resources = [], configMapGenerator = [], patches = [] } = kustomizationOf(folder);
    const generated = configMapGenerator.flatMap((generator: { files: string[] }) => generator.files);
    const patched = patches.map(({ path }: { path: string }) => path);
    return ["kustomization.yaml", ...resources, ...generated, ...patched].map((name) => join(folder, name));
  });
  const elsewhere = ["istio/mesh-config.yaml"]; // test/deploy/schemas.test.ts
  expect(files.filter((path) => !named.includes(path) && !elsewhere.includes(path))).toEqual([]);
});

describe.each(whole)("kubectl kustomize deploy/kubernetes/%s", (folder) => {
  let resources: Resource[];
  beforeAll(async () => {
    resources = await kustomize(join(FOLDER, folder));
  });

  test("gives resources that their schemas take", () => {
    expect(breachesIn(resources)).toEqual([]);
  });

  test("gives none twice, and each in a namespace", () => {
    const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    const others = names.filter((name) => name !== "Namespace undefined/keyward");
    expect(others.filter((name) => name.includes("undefined"))).toEqual([]);
  });

  test("gives a Service for each that is named by another resource", () => {
    const services = resources.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata);
    const known = services.map(({ name, namespace }) => `${namespace}/${name}`);
    const mentioned = JSON.stringify(resources).matchAll(/\b(\w[\w-]*)\.(\w[\w-]*)\.svc\.cluster\.local/g);
    const named = [...mentioned].map(([, name, namespace]) => `${namespace}/${name}`);
    expect(named.filter((name) => !known.includes(name) && name !== "default/upstream")).toEqual([]);
  });
});

describe("a resource with a fault of one word", () => {
  test.each([
    ["a field misspelt", { automountServiceaccountToken: false }, "additionalProperty"],
    ["a value of another type", { terminationGracePeriodSeconds: "45" }, "must be integer"],
    ["a probe without its port", { containers: [{ name: "x", livenessProbe: { httpGet: {} } }] }, "'port'"],
  ])("is not taken: %s", async (_, change, words) => {
    const set = onlyOne(await kustomize(join(FOLDER, "central")), "StatefulSet");
    const { template } = set.spec as { template: { spec: object } };
    const spec = { ...template.spec, ...change };
    const faulty = { ...set, spec: { ...(set.spec as object), template: { ...template, spec } } };
    expect(breaches("apps/v1 StatefulSet", faulty).join()).toContain(words);
  });

  test("is not taken in a policy of a gateway", async () => {
    const policy = onlyOne(await kustomize(join(FOLDER, "envoy-gateway")), "SecurityPolicy");
    const misspelt = { ...policy, spec: { ...(policy.spec as object), extauth: {} } };
    expect(breaches("gateway.envoyproxy.io/v1alpha1 SecurityPolicy", misspelt)).toEqual([
      '/spec must NOT have additional properties {"additionalProperty":"extauth"}',
    ]);
  });
});

describe("deploy/kubernetes/monitoring", () => {
  test.each(["gateway", "central"])("adds to %s a ServiceMonitor that finds its metrics", async (base) => {
    const resources = await kustomizeHere(
      (path) => `resources: [${path}/${base}]\ncomponents: [${path}/monitoring]\nkind: Kustomization\n`,
    );
    expect(breachesIn(resources)).toEqual([]);
    const monitor = onlyOne(resources, "ServiceMonitor");
    const { selector, endpoints } = monitor.spec as {
      selector: { matchLabels: Record<string, string> };
      endpoints: { port: string }[];
    };
    const services = resources.filter(
      ({ kind, metadata }) =>
        kind === "Service" &&
        metadata.namespace === monitor.metadata.namespace &&
        Object.entries(selector.matchLabels).every(([name, value]) => metadata.labels?.[name] === value),
    );
    const ports = services.map(({ spec }) => (spec as { ports: { name: string }[] }).ports.map(({ name }) => name));
    expect(ports).toEqual([endpoints.map(({ port }) => port)]);
  });
});

describe("deploy/kubernetes/restore", () => {
  test("works on the volume of the central Keyward, as the program that serves it", async () => {
    const { template } = onlyOne(await kustomize(join(FOLDER, "restore")), "Job").spec as { template: PodTemplate };
    const set = onlyOne(await kustomize(join(FOLDER, "central")), "StatefulSet");
    const served = set.spec as { template: PodTemplate; volumeClaimTemplates: { metadata: { name: string } }[] };
    const [volume] = template.spec.volumes;
    const claim = `${served.volumeClaimTemplates[0]?.metadata.name}-${set.metadata.name}-0`;
    expect(volume).toEqual({ name: "data", persistentVolumeClaim: { claimName: claim } });
    const same = ({ image, securityContext, volumeMounts }: Container) => ({
      image,
      securityContext,
      volumeMounts: volumeMounts.filter(({ name }) => name === "data"),
    });
    expect(template.spec.containers.map(same)).toEqual(served.template.spec.containers.map(same));
    expect(template.spec.securityContext).toEqual(served.template.spec.securityContext);
  });
});

test("an image of another registry takes the place of the one that is named", async () => {
  const image = "images: [{ name: keyward, newName: registry.example/keyward, newTag: 9.9.9 }]";
  const resources = await kustomizeHere((path) => `resources: [${path}/gateway]\nkind: Kustomization\n${image}\n`);
  expect(JSON.stringify(resources)).toContain('"image":"registry.example/keyward:9.9.9"');
});

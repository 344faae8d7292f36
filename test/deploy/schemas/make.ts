/**
 * `node test/deploy/schemas/make.ts`: makes the files beside it anew, from the modules that `SOURCES` names. It needs Go,
 * which fetches them; the tests need neither. Run it to check the manifests against newer versions. All of these are under
 * the Apache License 2.0, as this repository is.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { closed, type Schema } from "./closed.ts";

/** What a file is made from: a Go module, and the CustomResourceDefinitions in it of these kinds. */
const SOURCES: Readonly<Record<string, { module: string; files: readonly string[]; kinds: readonly string[] }>> = {
  istio: {
    module: "istio.io/api@v1.31.1",
    files: ["kubernetes/customresourcedefinitions.gen.yaml"],
    kinds: ["AuthorizationPolicy"],
  },
  "envoy-gateway": {
    module: "github.com/envoyproxy/gateway@v1.9.1",
    files: ["securitypolicies", "clienttrafficpolicies"].map(
      (name) => `charts/gateway-crds-helm/templates/generated/gateway.envoyproxy.io_${name}.yaml`,
    ),
    kinds: ["SecurityPolicy", "ClientTrafficPolicy"],
  },
  "gateway-api": {
    module: "sigs.k8s.io/gateway-api@v1.4.1",
    files: ["httproutes", "gateways", "referencegrants"].map(
      (name) => `config/crd/standard/gateway.networking.k8s.io_${name}.yaml`,
    ),
    kinds: ["HTTPRoute", "Gateway", "ReferenceGrant"],
  },
  contour: {
    module: "github.com/projectcontour/contour@v1.33.8",
    files: ["examples/contour/01-crds.yaml"],
    kinds: ["ExtensionService", "HTTPProxy"],
  },
  "prometheus-operator": {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    files: ["example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"],
    kinds: ["ServiceMonitor"],
  },
  "cert-manager": {
    module: "github.com/cert-manager/cert-manager@v1.21.2",
    files: ["certificates", "issuers"].map((name) => `deploy/crds/cert-manager.io_${name}.yaml`),
    kinds: ["Certificate", "Issuer"],
  },
};

/** Kubernetes itself: the definitions that its API server publishes, of these kinds. */
const KUBERNETES = {
  module: "k8s.io/kubernetes@v1.34.2",
  kinds: {
    api__v1: ["ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount"],
    apis__apps__v1: ["Deployment", "StatefulSet"],
    apis__batch__v1: ["Job"],
    apis__networking_k8s_io__v1: ["Ingress", "NetworkPolicy"],
    apis__policy__v1: ["PodDisruptionBudget"],
  },
};

/** What the `metadata` of every resource is; definitions of custom ones leave it open. */
const META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const here = import.meta.dirname;

const kubernetes = kubernetesSchemas();
write("kubernetes", { source: KUBERNETES.module, ...kubernetes });
const metadata = closure({ $ref: META }, kubernetes.definitions);
for (const [name, { module, files, kinds }] of Object.entries(SOURCES)) {
  const found = files.flatMap((file) => resourcesOf(join(download(module), file), kinds));
  for (const kind of kinds)
    if (!found.some(([key]) => key.endsWith(` ${kind}`))) throw new Error(`${module} has no ${kind}`);
  write(name, { source: module, definitions: metadata, kinds: Object.fromEntries(found) });
}
meshConfig(download("istio.io/api@v1.31.1"));
composeFile("github.com/compose-spec/compose-go/v2@v2.16.2");

function download(module: string): string {
  const answer = execFileSync("go", ["mod", "download", "-json", module], { encoding: "utf8" });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

function write(name: string, content: object): void {
  writeFileSync(join(here, `${name}.json`), `${JSON.stringify(content)}\n`);
}

/** The schemas of a file of CustomResourceDefinitions by `apiVersion kind`, of every version that is served. */
function resourcesOf(file: string, kinds: readonly string[]): [string, Schema][] {
  const text = readFileSync(file, "utf8").replaceAll(/^\{\{.*\}\}$/gm, ""); // a chart's conditions
  const definitions = parseAllDocuments(text).map((document) => document.toJS());
  return definitions
    .filter((definition) => kinds.includes(definition?.spec?.names?.kind))
    .flatMap(({ spec }) =>
      spec.versions
        .filter(({ served }: { served: boolean }) => served)
        .map(({ name, schema }: { name: string; schema: { openAPIV3Schema: Schema } }) => {
          const { properties, ...rest } = closed(schema.openAPIV3Schema);
          const text = { type: "string" };
          const own = { ...(properties as object), apiVersion: text, kind: text, metadata: { $ref: META } };
          return [`${spec.group}/${name} ${spec.names.kind}`, { ...rest, properties: own }];
        }),
    );
}

function kubernetesSchemas(): { definitions: Record<string, Schema>; kinds: Record<string, Schema> } {
  const kinds: Record<string, Schema> = {};
  const definitions: Record<string, Schema> = {};
  for (const [file, names] of Object.entries(KUBERNETES.kinds)) {
    const path = `api/openapi-spec/v3/${file.replaceAll("_k8s_io", ".k8s.io")}_openapi.json`;
    const api = JSON.parse(readFileSync(join(download(KUBERNETES.module), path), "utf8"));
    const all: Record<string, Schema> = api.components.schemas;
    for (const kind of names) {
      const isIt = (name: string) => new RegExp(`^io\\.k8s\\.api\\..*\\.${kind}$`).test(name);
      const [key, schema = {}] = Object.entries(all).find(([name]) => isIt(name)) ?? [];
      const groups = (schema["x-kubernetes-group-version-kind"] ?? []) as { group: string; version: string }[];
      const [group] = groups;
      if (key === undefined || group === undefined) throw new Error(`${path} has no ${kind}`);
      const version = [group.group, group.version].filter(Boolean).join("/");
      kinds[`${version} ${kind}`] = { $ref: `#/definitions/${key}` };
      Object.assign(definitions, closure({ $ref: `#/definitions/${key}` }, closedAll(all)));
    }
  }
  return { definitions, kinds };
}

function closedAll(schemas: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema)]));
}

/** The definitions that a schema needs, directly or through others. */
function closure(schema: Schema, all: Record<string, Schema>): Record<string, Schema> {
  const needed: Record<string, Schema> = {};
  const queue: unknown[] = [schema];
  for (const next of queue) {
    for (const [, name = ""] of JSON.stringify(next).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      const definition = all[name];
      if (needed[name] !== undefined || definition === undefined) continue;
      needed[name] = definition;
      queue.push(definition);
    }
  }
  return needed;
}

/** Istio's mesh configuration is no resource: what describes it is a message of protobuf. */
function meshConfig(module: string): void {
  const folder = mkdtempSync(join(tmpdir(), "mesh-config-"));
  const isNeeded = (path: string) => statSync(path).isDirectory() || path.endsWith(".proto");
  for (const part of [module, join(module, "common-protos")])
    cpSync(part, folder, { recursive: true, filter: isNeeded });
  writeFileSync(join(folder, "buf.yaml"), "version: v2\n");
  const buf = join(here, "../../../node_modules/.bin/buf");
  const only = ["--path", join(folder, "mesh"), "--type", "istio.mesh.v1alpha1.MeshConfig", "--exclude-source-info"];
  execFileSync(buf, ["build", folder, ...only, "--output", join(here, "istio-mesh-config.binpb")]);
  rmSync(folder, { recursive: true });
}

/** What a compose file may say has a JSON schema of its own, which takes no unknown field as it is. */
function composeFile(module: string): void {
  const file = readFileSync(join(download(module), "schema/compose-spec.json"), "utf8");
  const { $defs, type, properties, patternProperties, additionalProperties } = JSON.parse(
    file.replaceAll("#/$defs/", "#/definitions/"),
    (key, value) => (key === "description" && typeof value === "string" ? undefined : value),
  );
  const compose = { type, properties, patternProperties, additionalProperties };
  write("compose", { source: module, definitions: $defs, kinds: { compose } });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, fromJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { closed } from "./schemas/closed.ts";
import { DEPLOY } from "./support/manifests.ts";
import { breaches } from "./support/schemas.ts";

const yaml = (path: string) => parse(readFileSync(DEPLOY + path, "utf8"));

describe("deploy/compose/compose.yaml", () => {
  const compose = yaml("compose/compose.yaml");

  test("is a compose file", () => {
    expect(breaches("compose", compose)).toEqual([]);
  });

  test("is none with a service's setting misspelt", () => {
    const services = { ...compose.services, envoy: { ...compose.services.envoy, readonly: true } };
    expect(breaches("compose", { ...compose, services })).toEqual([
      '/services/envoy must NOT have unevaluated properties {"unevaluatedProperty":"readonly"}',
    ]);
  });
});

describe("deploy/kubernetes/istio/mesh-config.yaml", () => {
  const file = readFileSync(join(import.meta.dirname, "schemas/istio-mesh-config.binpb"));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, file));
  const message = registry.getMessage("istio.mesh.v1alpha1.MeshConfig");
  const { meshConfig } = yaml("kubernetes/istio/mesh-config.yaml");
  const read = (config: typeof meshConfig) => () => message && fromJson(message, config, { registry });

  test("is a mesh configuration of Istio", () => {
    expect(read(meshConfig)).not.toThrow();
  });

  test("is none with a field misspelt", () => {
    const [{ name, envoyExtAuthzGrpc }] = meshConfig.extensionProviders;
    const misspelt = { name, envoyExtAuthzGrpc: { ...envoyExtAuthzGrpc, failopen: false } };
    expect(read({ extensionProviders: [misspelt] })).toThrow("failopen");
  });

  test("names the provider that the AuthorizationPolicy names", () => {
    const policy = yaml("kubernetes/istio/authorizationpolicy.yaml");
    expect(meshConfig.extensionProviders.map(({ name }: { name: string }) => name)).toEqual([
      policy.spec.provider.name,
    ]);
  });
});

describe("a schema of Kubernetes, closed", () => {
  const properties = { name: { type: "string", description: "…" } };
  test.each<[title: string, schema: object, expected: object]>([
    [
      "takes no field that it does not know",
      { type: "object", properties },
      { type: "object", properties: { name: { type: "string" } }, additionalProperties: false },
    ],
    [
      "takes any where the schema says so",
      { type: "object", properties, "x-kubernetes-preserve-unknown-fields": true },
      { type: "object", properties: { name: { type: "string" } } },
    ],
    [
      "keeps a map a map",
      { type: "object", additionalProperties: { type: "string" } },
      { type: "object", additionalProperties: { type: "string" } },
    ],
    ["knows a number or a name", { "x-kubernetes-int-or-string": true }, { type: ["integer", "string"] }],
    [
      "leaves branches open, which only add conditions",
      { anyOf: [{ properties, required: ["name"] }] },
      { anyOf: [{ properties: { name: { type: "string" } }, required: ["name"] }] },
    ],
  ])("%s", (_, schema, expected) => {
    expect(closed({ ...schema })).toEqual(expected);
  });
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { DEPLOY } from "./support/manifests.ts";
import { breaches } from "./support/schemas.ts";

const text = readFileSync(`${DEPLOY}ingress-nginx/ingress.yaml`, "utf8");
const [ingress, ...configMaps] = parseAllDocuments(text).map((document) => document.toJS());

test("deploy/ingress-nginx is an Ingress and two ConfigMaps", () => {
  expect(breaches("networking.k8s.io/v1 Ingress", ingress)).toEqual([]);
  expect(configMaps.flatMap((configMap) => breaches("v1 ConfigMap", configMap))).toEqual([]);
  expect(configMaps).toHaveLength(2);
});

test("it is none with a field misspelt", () => {
  const misspelt = { ...ingress, spec: { ...ingress.spec, ingressClass: "nginx" } };
  expect(breaches("networking.k8s.io/v1 Ingress", misspelt)).toEqual([
    '/spec must NOT have additional properties {"additionalProperty":"ingressClass"}',
  ]);
});

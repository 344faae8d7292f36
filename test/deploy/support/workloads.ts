import { z } from "zod";
import type { Resource } from "./manifests.ts";

/** A container of a pod, as far as the tests read it. */
export type Container = z.infer<typeof container>;

const port = z.union([z.number(), z.string()]);
const probe = z.looseObject({
  grpc: z.looseObject({ port: z.number(), service: z.string().optional() }).optional(),
  httpGet: z.looseObject({ path: z.string(), port }).optional(),
  tcpSocket: z.looseObject({ port }).optional(),
});
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.string().optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  lifecycle: z.looseObject({ preStop: z.looseObject({ sleep: z.looseObject({ seconds: z.number() }) }) }).optional(),
  securityContext: z.unknown(),
  resources: z.looseObject({ requests: z.unknown(), limits: z.unknown() }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});

/** What runs pods: a StatefulSet or Deployment. */
export type Workload = z.infer<typeof workload>;

const labels = z.record(z.string(), z.string());
const workload = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    replicas: z.number(),
    selector: z.looseObject({ matchLabels: labels }),
    template: z.looseObject({
      metadata: z.looseObject({ labels }),
      spec: z.looseObject({
        automountServiceAccountToken: z.boolean(),
        enableServiceLinks: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({}),
        initContainers: z.array(container).default([]),
        containers: z.array(container),
        volumes: z
          .array(
            z.looseObject({
              name: z.string(),
              configMap: z.looseObject({ name: z.string() }).optional(),
              secret: z.looseObject({ secretName: z.string() }).optional(),
            }),
          )
          .default([]),
      }),
    }),
    volumeClaimTemplates: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })).default([]),
  }),
});

/** The workloads among resources. Throws where one lacks what every one here has to say. */
export function workloadsOf(resources: readonly Resource[]): Workload[] {
  const kinds = ["StatefulSet", "Deployment"];
  return resources.filter(({ kind }) => kinds.includes(kind)).map((resource) => workload.parse(resource));
}

/** All containers of a workload's pods. */
export function containersOf({ spec }: Workload): Container[] {
  return [...spec.template.spec.initContainers, ...spec.template.spec.containers];
}

/** The workloads whose pods a selector means. */
export function selected(workloads: readonly Workload[], selector: Readonly<Record<string, string>>): Workload[] {
  const wanted = Object.entries(selector);
  return workloads.filter(({ spec }) => wanted.every(([name, value]) => spec.template.metadata.labels[name] === value));
}

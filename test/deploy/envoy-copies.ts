/**
 * `node test/deploy/envoy-copies.ts` writes the Envoy configurations of `deploy/` that are `deploy/envoy/envoy.yaml` at
 * another place: the same filters for the same reasons, with other addresses. Run it after a change of that file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { DEPLOY } from "./support/manifests.ts";

/** A configuration that is a copy of the shipped one. */
interface Copy {
  /** Below `deploy/`. */
  path: string;
  /** Its first lines: what is around it, and how it is run. */
  head: string;
  /** What differs, in the words of the shipped file; each stands there once. */
  changes: readonly (readonly [from: string, to: string])[];
  /** Asks over TLS, and so needs files beside it. */
  tls?: boolean;
}

const everywhere = ["address: 127.0.0.1, port_value: 8080", "address: 0.0.0.0, port_value: 8080"] as const;
const upstream = (address: string, port: number) =>
  [
    ["    - name: upstream\n      type: STATIC", "    - name: upstream\n      type: STRICT_DNS"],
    ["address: 127.0.0.1, port_value: 8081", `address: ${address}, port_value: ${port}`],
  ] as const;
const keyward = (address: string, transport = "") =>
  [
    ["    - name: keyward\n      type: STATIC\n", `    - name: keyward\n      type: STRICT_DNS\n${transport}`],
    ["address: 127.0.0.1, port_value: 9000", `address: ${address}, port_value: 9000`],
  ] as const;

const secret = (name: string) =>
  `{ name: ${name}, sds_config: { path_config_source: { path: /etc/envoy/sds-${name}.yaml } } }`;
const OVER_TLS = `      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: keyward.keyward.svc.cluster.local
          common_tls_context:
            tls_certificate_sds_secret_configs:
              - ${secret("certificate")}
            validation_context_sds_secret_config: ${secret("authority")}
`;

export const COPIES: readonly Copy[] = [
  {
    path: "kubernetes/gateway/envoy.yaml",
    head: "# Envoy in one pod with Keyward, which it asks over loopback. Put your upstream at the end.",
    changes: [everywhere, ...upstream("upstream.default.svc.cluster.local", 80)],
  },
  {
    path: "kubernetes/envoy/envoy.yaml",
    head: "# An Envoy that asks the central Keyward. Put your upstream at the end.",
    changes: [
      everywhere,
      ...keyward("keyward.keyward.svc.cluster.local"),
      ...upstream("upstream.default.svc.cluster.local", 80),
    ],
  },
  {
    path: "kubernetes/envoy-tls/envoy.yaml",
    tls: true,
    head: "# An Envoy that asks the central Keyward over TLS. Put your upstream at the end.",
    changes: [
      everywhere,
      ...keyward("keyward.keyward.svc.cluster.local", OVER_TLS),
      [
        "\nadmin:",
        "\nnode: { id: envoy, cluster: envoy } # without a name Envoy refuses secrets that are files of their own\n\nadmin:",
      ],
      ...upstream("upstream.default.svc.cluster.local", 80),
    ],
  },
  {
    path: "compose/envoy.yaml",
    head: "# The Envoy of compose.yaml. Put your upstream at the end.",
    changes: [everywhere, ...keyward("keyward"), ...upstream("upstream", 8081)],
  },
];

/** Returns what a copy has to be. Throws where the shipped file no longer has what it changes, exactly once. */
export function copyText({ head, changes }: Copy): string {
  const shipped = readFileSync(`${DEPLOY}envoy/envoy.yaml`, "utf8");
  const body = shipped.slice(shipped.indexOf("\nadmin:"));
  return changes.reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`deploy/envoy/envoy.yaml says ${JSON.stringify(from)} not exactly once`);
    return parts.join(to);
  }, `${head}\n# In Keyward's repository it is made from deploy/envoy/envoy.yaml by test/deploy/envoy-copies.ts.\n${body}`);
}

if (import.meta.main) for (const copy of COPIES) writeFileSync(DEPLOY + copy.path, copyText(copy));

import { list, type Manager, milliseconds, subtree, type Tree } from "./envoy-dump.ts";
import type { Finding } from "./finding.ts";

/** Where one `ext_authz` filter stands, and what it asks. */
export interface AuthzFilter {
  readonly manager: Manager;
  /** The place of the filter in its chain. */
  readonly at: number;
  readonly filter: Tree;
  readonly config: Tree;
  /** What it asks; undefined where the dump has no such cluster, or it asks over HTTP. */
  readonly cluster: Tree | undefined;
  readonly trustedHops: number;
}

/** Something that should hold, and what it means where it does not. */
interface Rule {
  readonly state: Exclude<Finding["state"], "ok">;
  readonly isBroken: (place: AuthzFilter) => boolean;
  readonly message: string;
  readonly advice: string;
}

/** Envoy's default, retries included. */
const DEFAULT_TIMEOUT_MS = 200;

const timeoutMs = ({ config }: AuthzFilter) =>
  milliseconds(subtree(config, "grpc_service")?.timeout) ?? DEFAULT_TIMEOUT_MS;

const grpc = ({ config }: AuthzFilter) => subtree(config, "grpc_service", "envoy_grpc");

const http2 = ({ cluster }: AuthzFilter) => {
  if (cluster === undefined) return undefined;
  const name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const options = subtree(cluster, "typed_extension_protocol_options", name);
  return (
    cluster.http2_protocol_options ??
    subtree(options ?? {}, "explicit_http_config")?.http2_protocol_options ??
    subtree(options ?? {}, "use_downstream_protocol_config")?.http2_protocol_options
  );
};

/** Whether a filter in front removes the headers in which Keyward tells who calls. */
const cleansIdentity = ({ manager, at }: AuthzFilter) =>
  manager.filters.slice(0, at).some((filter) => {
    const mutations = list(subtree(filter, "typed_config", "mutations")?.request_mutations);
    return mutations.some(({ remove, remove_on_match }) =>
      /keyward/.test(JSON.stringify(remove ?? remove_on_match ?? "")),
    );
  });

/** What is looked at, the worst first. */
export const RULES: readonly Rule[] = [
  {
    state: "fail",
    isBroken: ({ filter }) => filter.disabled === true,
    message: "ext_authz is disabled, and asks only where a route turns it on",
    advice: "Remove `disabled: true` from the filter.",
  },
  {
    state: "fail",
    isBroken: ({ config }) => config.failure_mode_allow === true,
    message: "failure_mode_allow is true: whoever can make checks fail gets in, with any key or none",
    advice: "Set failure_mode_allow: false.",
  },
  {
    state: "fail",
    isBroken: ({ config, cluster }) => config.grpc_service !== undefined && cluster === undefined,
    message: "the cluster that ext_authz asks is not there",
    advice: "Name in grpc_service.envoy_grpc.cluster_name the cluster in which Keyward is.",
  },
  {
    state: "fail",
    isBroken: (place) => place.cluster !== undefined && http2(place) === undefined,
    message: "the cluster of Keyward does not speak HTTP/2, which gRPC needs",
    advice: "Set explicit_http_config: { http2_protocol_options: {} } in its HttpProtocolOptions.",
  },
  {
    state: "fail",
    isBroken: (place) => {
      const { authority, cluster_name = "" } = grpc(place) ?? {};
      return /[|/@" ]/.test(String(authority || cluster_name));
    },
    message: "the authority of the call has a character that ends it before it is answered",
    advice: "Set grpc_service.envoy_grpc.authority: keyward.",
  },
  {
    state: "fail",
    isBroken: ({ manager, trustedHops }) => trustedHops > 0 && manager.config.use_remote_address !== true,
    message: "use_remote_address is not set, so that client_address.trusted_hops counts into the client's own words",
    advice: "Set use_remote_address: true in the connection manager.",
  },
  {
    state: "fail",
    isBroken: ({ config }) => Number(subtree(config, "with_request_body")?.max_request_bytes ?? 0) >= 3 * 1024 * 1024,
    message: "with_request_body sends more than Keyward takes",
    advice: "Keep max_request_bytes below 3 MiB, or leave with_request_body out: Keyward reads no bodies.",
  },
  {
    state: "warn",
    isBroken: (place) => !cleansIdentity(place),
    message: "nothing in front removes a client's own x-keyward-* headers where Keyward is not asked",
    advice: "Put the header_mutation filter of deploy/envoy/envoy.yaml first.",
  },
  {
    state: "warn",
    isBroken: ({ config }) => config.grpc_service !== undefined && config.encode_raw_headers !== true,
    message:
      "encode_raw_headers is not set: Envoy shows ! for bytes that it cannot write, and paths with ! are refused",
    advice: "Set encode_raw_headers: true.",
  },
  {
    state: "warn",
    isBroken: ({ manager }) => manager.config.normalize_path !== true,
    message: "normalize_path is not set: paths with dot segments reach Keyward, which refuses them (ambiguous_path)",
    advice: "Set normalize_path: true in the connection manager.",
  },
  {
    state: "warn",
    isBroken: ({ manager }) => manager.config.merge_slashes !== true,
    message: "merge_slashes is not set: paths with // reach Keyward, which refuses them (ambiguous_path)",
    advice: "Set merge_slashes: true in the connection manager.",
  },
  {
    state: "warn",
    isBroken: ({ manager }) =>
      [undefined, "KEEP_UNCHANGED", "IMPLEMENTATION_SPECIFIC_DEFAULT"].includes(
        manager.config.path_with_escaped_slashes_action as string | undefined,
      ),
    message:
      "path_with_escaped_slashes_action keeps %2F and %5C: Keyward refuses such paths, and back ends differ on them",
    advice: "Set path_with_escaped_slashes_action: REJECT_REQUEST in the connection manager.",
  },
  {
    state: "warn",
    isBroken: (place) => timeoutMs(place) === 0 || timeoutMs(place) > 5_000,
    message: "grpc_service.timeout lets a request wait for its verdict for longer than 5 s",
    advice: "Set timeout: 0.25s.",
  },
  {
    state: "warn",
    isBroken: (place) => timeoutMs(place) > 0 && timeoutMs(place) < 100,
    message: "grpc_service.timeout leaves less than 100 ms: a pause of the machine refuses requests",
    advice: "Set timeout: 0.25s.",
  },
  {
    state: "warn",
    isBroken: (place) => {
      const { cluster } = place;
      // Envoy's default is 5 s.
      const connectMs = milliseconds(cluster?.connect_timeout) ?? 5_000;
      return cluster !== undefined && connectMs > Math.max(timeoutMs(place), 1_000);
    },
    message: "the cluster of Keyward waits longer for a connection than a check may take",
    advice: "Set connect_timeout: 0.25s in the cluster.",
  },
  {
    state: "warn",
    isBroken: (place) => place.cluster !== undefined && place.cluster.circuit_breakers === undefined,
    message: "the cluster of Keyward has Envoy's own limits (1,024 requests, 3 retries): a burst is refused",
    advice: "Raise circuit_breakers as in deploy/envoy/envoy.yaml.",
  },
  {
    state: "warn",
    isBroken: ({ config }) =>
      config.grpc_service !== undefined && subtree(config, "grpc_service", "retry_policy") === undefined,
    message: "checks are not tried again: a restart of Keyward refuses those in progress",
    advice: 'Set retry_policy: { retry_on: "connect-failure,refused-stream,reset", num_retries: 2 } in grpc_service.',
  },
];

/** What is different from an Envoy that merely asks Keyward. */
export interface BareEnvoyOptions {
  /** Sends header bytes as they came, repeated headers apart. */
  encodeRawHeaders?: boolean;
  failureModeAllow?: boolean;
  /** The only request headers that Keyward is shown; `:path` and its like are hidden as well unless they are among them. */
  allowedHeaders?: readonly string[];
  /** Each path prefix with the `context_extensions` of its route; those of the host under `host`. */
  extensions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  host?: Readonly<Record<string, string>>;
}

/** The configuration, as far as a test may want to change it. */
export interface BareEnvoyConfig {
  static_resources: {
    listeners: {
      name: string;
      address: object;
      filter_chains: { filters: { name: string; typed_config: object }[] }[];
    }[];
    clusters: object[];
  };
}

const FILTERS = "type.googleapis.com/envoy.extensions.filters";

function checkSettings(extensions: Readonly<Record<string, string>>): object {
  return {
    "envoy.filters.http.ext_authz": {
      "@type": `${FILTERS}.http.ext_authz.v3.ExtAuthzPerRoute`,
      check_settings: { context_extensions: extensions },
    },
  };
}

function cluster(name: string, port: number): object {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  return { name, type: "STATIC", connect_timeout: "1s", load_assignment };
}

/**
 * An Envoy without any of the cleaning that the shipped configuration does: paths go on as they came, nothing takes
 * identity headers off but Keyward, underscores pass. What holds here does not rest on Envoy.
 */
export function bareEnvoyConfig(
  ports: { keyward: number; upstream: number },
  { encodeRawHeaders = true, failureModeAllow = false, allowedHeaders, extensions = {}, host }: BareEnvoyOptions = {},
): BareEnvoyConfig {
  const route = { cluster: "upstream" };
  const routes = Object.entries({ ...extensions, "/": extensions["/"] }).map(([prefix, entries]) => ({
    match: { prefix },
    route,
    ...(entries && { typed_per_filter_config: checkSettings(entries) }),
  }));
  const virtualHost = {
    name: "all",
    domains: ["*"],
    routes,
    ...(host && { typed_per_filter_config: checkSettings(host) }),
  };
  const authz = {
    "@type": `${FILTERS}.http.ext_authz.v3.ExtAuthz`,
    transport_api_version: "V3",
    grpc_service: { envoy_grpc: { cluster_name: "keyward", authority: "keyward" }, timeout: "5s" },
    failure_mode_allow: failureModeAllow,
    encode_raw_headers: encodeRawHeaders,
    ...(allowedHeaders && { allowed_headers: { patterns: allowedHeaders.map((exact) => ({ exact })) } }),
  };
  const router = { "@type": `${FILTERS}.http.router.v3.Router` };
  const manager = {
    "@type": `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "ingress",
    codec_type: "AUTO",
    http_filters: [
      { name: "envoy.filters.http.ext_authz", typed_config: authz },
      { name: "envoy.filters.http.router", typed_config: router },
    ],
    route_config: { name: "ingress", virtual_hosts: [virtualHost] },
  };
  const options = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  return {
    static_resources: {
      listeners: [
        {
          name: "ingress",
          address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
          filter_chains: [{ filters: [filter] }],
        },
      ],
      clusters: [
        { ...cluster("keyward", ports.keyward), typed_extension_protocol_options: options },
        cluster("upstream", ports.upstream),
      ],
    },
  };
}

/** The listeners of the benchmark's Envoy: they answer by themselves, two of them once Keyward has let a request through. */
export const LISTENERS = ["no filter", "Keyward over TCP", "Keyward over a Unix socket"] as const;

const FILTERS = "type.googleapis.com/envoy.extensions.filters";

/** An Envoy with those listeners, and Keyward on a loopback port and on a Unix socket. */
export function envoyConfig(port: number, socket: string): object {
  const [plain, tcp, unix] = LISTENERS;
  return {
    static_resources: {
      listeners: [listener(plain, []), listener(tcp, [authz("tcp")]), listener(unix, [authz("unix")])],
      clusters: [
        cluster("tcp", { socket_address: { address: "127.0.0.1", port_value: port } }),
        cluster("unix", { pipe: { path: socket } }),
      ],
    },
  };
}

function listener(name: string, filters: readonly object[]): object {
  const direct_response = { status: 200, body: { inline_string: "ok" } };
  const host = { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response }] };
  const router = { name: "router", typed_config: { "@type": `${FILTERS}.http.router.v3.Router` } };
  const manager = {
    "@type": `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "ingress",
    http_filters: [...filters, router],
    route_config: { name: "ingress", virtual_hosts: [host] },
  };
  return {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }],
  };
}

/** As in the shipped configuration, but for the time that it waits: on a busy machine no request fails for that. */
function authz(cluster_name: string): object {
  const typed_config = {
    "@type": `${FILTERS}.http.ext_authz.v3.ExtAuthz`,
    transport_api_version: "V3",
    grpc_service: { envoy_grpc: { cluster_name, authority: "keyward" }, timeout: "5s" },
    encode_raw_headers: true,
  };
  return { name: "authz", typed_config };
}

function cluster(name: string, address: object): object {
  const http2 = {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: { http2_protocol_options: {} },
  };
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2 },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

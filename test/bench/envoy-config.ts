/** Who is asked about each request of a listener: `host:port`, or `unix:/path`. */
export interface Asked {
  readonly listener: string;
  readonly authz: string;
}

/** The listener that asks nobody. */
export const NO_FILTER = "no filter";

const FILTERS = "type.googleapis.com/envoy.extensions.filters";

/** An Envoy that answers by itself, on one listener at once and on the others after asking. */
export function envoyConfig(asked: readonly Asked[]): object {
  const asking = asked.map(({ listener: name }) => listener(name, [authz(name)]));
  const clusters = asked.map(({ listener: name, authz: address }) => cluster(name, addressOf(address)));
  return { static_resources: { listeners: [listener(NO_FILTER, []), ...asking], clusters } };
}

function addressOf(authz: string): object {
  const [, path] = authz.split("unix:");
  if (path !== undefined) return { pipe: { path } };
  const [address, port] = authz.split(":");
  return { socket_address: { address, port_value: Number(port) } };
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

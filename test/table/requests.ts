/** The `keyward.yaml` by which the requests are judged. */
export const CONFIG = `
credentials:
  - { from: bearer }
  - { from: scheme, name: ApiKey }
  - { from: header, name: x-api-key }
  - { from: basic, username: keyward }
  - { from: query, name: api_key }
  - { from: cookie, name: api_key }
scopes:
  admin:all: { implies: ["*"] }
  orders:write: { implies: [orders:read] }
  orders:read: {}
  billing:read: {}
tenants:
  acme: { prefix: acme_live }
routes:
  - { path: /open, access: public }
  - { path: "/closed/**", access: deny }
  - { path: /v1/admin, scopes: [admin:all] }
  - { path: /v1/orders/any, scopes: [orders:read, billing:read] }
  - { path: /v1/orders/all, scopes: [orders:read, billing:read], match: all }
  - { path: "/v1/orders/**", methods: [GET], scopes: [orders:read] }
  - { path: "/v1/orders/**", methods: [POST], scopes: [orders:write] }
  - { path: "/v1/**", access: authenticated }
  - { path: "/v1x/**", access: authenticated }
  - { path: "/t/{tenant}/**", tenant: "{tenant}" }
  - { path: "/projects/{p}/**", owner: "project/{p}" }
`;

/** A route of Envoy's own, with `context_extensions` that are misspelt. */
export const BROKEN = { prefix: "/broken", extensions: { "keyward.scope": "orders:read" } };

/** A request as a client sends it. */
export interface TableRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The loopback address that it comes from. */
  readonly from: string;
}

/** Makes a request that presents a secret. `other` is that of another good key. */
type MakeRequest = (secret: string, other: string) => TableRequest;

/** Every request of the table. Where nothing else is said, the key is a bearer token and the client is 127.0.0.1. */
export const REQUESTS = {
  ping: get("/v1/ping"),
  x: get("/v1x/ping"),
  orders: get("/v1/orders"),
  query: get("/v1/orders?page=2"),
  order: get("/v1/orders/7"),
  ORDERS: get("/V1/Orders"),
  slash: get("/v1/orders/"),
  coded: get("/v1/%6Frders"),
  post: (secret) => ({ ...get("/v1/orders")(secret), method: "POST" }),
  // No route has this method and path, so it falls to the one below them, which asks for any key.
  delete: (secret) => ({ ...get("/v1/orders")(secret), method: "DELETE" }),

  any: get("/v1/orders/any"),
  all: get("/v1/orders/all"),
  admin: get("/v1/admin"),
  acme: get("/t/acme/ping"),
  acme2: get("/t/acme2/ping"),
  ACME: get("/t/ACME/ping"),
  p1: get("/projects/p1/ping"),
  p2: get("/projects/p2/ping"),
  P1: get("/projects/P1/ping"),
  "from-2": (secret) => ({ ...get("/v1/ping")(secret), from: "127.0.0.2" }),

  apikey: (secret) => orders(["authorization", `ApiKey ${secret}`]),
  header: (secret) => orders(["x-api-key", secret]),
  basic: (secret) => orders(["authorization", basic("keyward", secret)]),
  user: (secret) => orders(["authorization", basic("keywards", secret)]),
  param: (secret) => ({ ...orders(), path: `/v1/orders?page=2&api_key=${secret}` }),
  cookie: (secret) => orders(["cookie", `theme=dark; api_key=${secret}`]),
  twice: (secret) => orders(bearer(secret), ["x-api-key", secret]),
  two: (secret, other) => orders(bearer(secret), ["x-api-key", other]),
  mistyped: (secret) => orders(bearer(mistyped(secret))),

  "no-key": () => orders(),
  public: get("/open"),
  PUBLIC: get("/OPEN"),
  closed: get("/closed/x"),
  CLOSED: get("/Closed/x/"),
  nowhere: get("/v2/orders"),
  broken: get(`${BROKEN.prefix}/x`),
  "//": get("/v1//orders"),
  "%2f": get("/v1%2forders"),
} as const satisfies Readonly<Record<string, MakeRequest>>;

/** The name of a request: a column of the table. */
export type RequestName = keyof typeof REQUESTS;

function get(path: string): (secret: string) => TableRequest {
  return (secret) => ({ method: "GET", path, headers: [bearer(secret)], from: "127.0.0.1" });
}

function orders(...headers: TableRequest["headers"]): TableRequest {
  return { ...get("/v1/orders")(""), headers };
}

function bearer(secret: string): TableRequest["headers"][number] {
  return ["authorization", `Bearer ${secret}`];
}

function basic(username: string, secret: string): string {
  return `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`;
}

function mistyped(secret: string): string {
  return secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
}

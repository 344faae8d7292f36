/** How one kind of gateway asks over HTTP, and what it can be answered. Names of headers in lower case. */
export interface Dialect {
  /** The path at which it asks, whatever the query; with `prefix`, what stands before the path of the original request. */
  readonly path: `/check/${string}`;
  readonly prefix?: true;
  /** Where the original request is told. Undefined: the request that asks is the original. */
  readonly original?: OriginalHeaders;
  /** What tells the client's address, and which of its parts does. */
  readonly address: "x-real-ip" | "last of x-forwarded-for" | "x-forwarded-for by hops";
  /** The statuses that it takes for a denial. */
  readonly denials: "any" | "only 401 and 403" | "never 5xx";
  /** Whether it hides from us what it was not told to show, and removes what `x-envoy-auth-headers-to-remove` names. */
  readonly removesHeaders?: true;
}

/** Headers in which a gateway tells the original request. */
interface OriginalHeaders {
  readonly method: string;
  /** Path and query; with `scheme://host` in front where there is no `host`. */
  readonly uri: string;
  readonly host?: string;
  /** The host for which the gateway has chosen where the request goes, as far as it is told; `uri` has to name the same. */
  readonly chosenHost?: string;
}

const FORWARDED = { method: "x-forwarded-method", uri: "x-forwarded-uri", host: "x-forwarded-host" };

/**
 * Every gateway that may ask. Which one does is told by the URL, which its operator has configured, and never guessed from
 * headers: a client may send any header, and in another dialect than its gateway's it would tell which path is judged.
 */
export const DIALECTS = {
  // It writes the path as it does into a CheckRequest, with `!` for what it cannot show.
  envoy: {
    path: "/check/envoy",
    prefix: true,
    address: "x-forwarded-for by hops",
    // It takes 5xx for a failure of ours, which its `failure_mode_allow` lets through.
    denials: "never 5xx",
    removesHeaders: true,
  },
  // Of any other status than these two, `auth_request` makes a 500.
  nginx: {
    path: "/check/nginx",
    original: { method: "x-original-method", uri: "x-original-uri", host: "x-forwarded-host" },
    address: "x-real-ip",
    denials: "only 401 and 403",
  },
  "ingress-nginx": {
    path: "/check/ingress-nginx",
    // Its URL has the client's Host, but with an absolute request target (RFC 9112 §3.2.2) nginx goes by that.
    original: { method: "x-original-method", uri: "x-original-url", chosenHost: "x-original-host" },
    address: "x-real-ip",
    denials: "only 401 and 403",
  },
  traefik: { path: "/check/traefik", original: FORWARDED, address: "last of x-forwarded-for", denials: "any" },
  caddy: { path: "/check/caddy", original: FORWARDED, address: "last of x-forwarded-for", denials: "any" },
  haproxy: { path: "/check/haproxy", original: FORWARDED, address: "x-real-ip", denials: "any" },
} as const satisfies Readonly<Record<string, Dialect>>;

/** The name of a dialect. */
export type DialectName = keyof typeof DIALECTS;

/** The names of all dialects. */
export const DIALECT_NAMES = Object.keys(DIALECTS) as readonly DialectName[];

/** Makes something of each dialect, by its name. */
export function forEachDialect<T>(make: (dialect: Dialect) => T): Readonly<Record<DialectName, T>> {
  const made = DIALECT_NAMES.map((name) => [name, make(DIALECTS[name])] as const);
  return Object.fromEntries(made) as Record<DialectName, T>;
}

/** Which dialect a request target asks in; undefined where it is none of ours. */
export function dialectOf(url: string): DialectName | undefined {
  return DIALECT_NAMES.find((name) => {
    const dialect: Dialect = DIALECTS[name];
    const { path, prefix } = dialect;
    if (!url.startsWith(path)) return false;
    return prefix ? url[path.length] === "/" : url.length === path.length || url[path.length] === "?";
  });
}

import fc from "fast-check";
import { DIALECT_NAMES, type DialectName } from "../../src/check/http/dialects.ts";
import type { HttpRequest } from "../../src/check/http/request.ts";
import { askAbout } from "../check/http/support/asking.ts";
import type { Read } from "./reading.ts";
import { addresses, headerLists, hosts, KEY, methods, targets } from "./requests.ts";

/** With what each gateway may be answered (contract of `docs/gateways.md`). */
export const STATUSES: Readonly<Record<DialectName, readonly number[]>> = {
  envoy: [200, 400, 401, 403, 429],
  nginx: [200, 401, 403],
  "ingress-nginx": [200, 401, 403],
  traefik: [200, 400, 401, 403, 429, 503],
  caddy: [200, 400, 401, 403, 429, 503],
  haproxy: [200, 400, 401, 403, 429, 503],
};

/** What may be said in the headers in which gateways tell of the original request. */
const TOLD = ["x-original-method", "x-original-uri", "x-original-url", "x-forwarded-method", "x-forwarded-uri"];
const ABOUT = [...TOLD, "x-forwarded-host", "x-forwarded-for", "x-real-ip", "host"];
const SAID = [
  ...["GET", "POST", "/open", "/v1/orders", "https://api.test/v1/orders", "http://api.test/open", "https://api.test"],
  ...[
    "/v1/orders,/open",
    "/v1/orders, /open",
    "//evil/v1",
    "api.test",
    "a.test, b.test",
    KEY.address,
    `${KEY.address}, 1.2.3.4`,
    "",
  ],
];
const said = fc.tuple(fc.constantFrom(...ABOUT, "X-Original-URI", "X-Forwarded-Uri"), fc.constantFrom(...SAID));

/** Questions of gateways: as they ask, with headers of the client around that say the same things. */
export const httpRequests: fc.Arbitrary<HttpRequest> = fc
  .record({
    dialect: fc.constantFrom(...DIALECT_NAMES),
    method: methods,
    target: targets,
    host: hosts,
    address: addresses,
    headers: headerLists,
    more: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(said, { maxLength: 3 }) },
    ),
    atFirst: fc.boolean(),
    without: fc.oneof({ weight: 9, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(5) }),
  })
  .map(({ dialect, more, atFirst, without, ...original }) => {
    const asked = askAbout(dialect, original);
    const pairs = Array.from({ length: asked.rawHeaders.length / 2 }, (_, at) =>
      asked.rawHeaders.slice(2 * at, 2 * at + 2),
    );
    const kept = pairs.filter((_, at) => at !== without);
    return { ...asked, rawHeaders: (atFirst ? [...more, ...kept] : [...kept, ...more]).flat() };
  });

/** How a gateway's question is meant; undefined where it says nothing, or two things. */
export function readAsDialect({ dialect, method, url, rawHeaders }: HttpRequest): Read | undefined {
  const headers = Array.from(
    { length: rawHeaders.length / 2 },
    (_, at) => [rawHeaders[2 * at] ?? "", rawHeaders[2 * at + 1] ?? ""] as const,
  );
  const all = (name: string) => headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  const one = (name: string) => (all(name).length === 1 ? all(name)[0] : undefined);
  const isNginx = dialect === "nginx" || dialect === "ingress-nginx";
  const last = all("x-forwarded-for").join(",").split(",").at(-1)?.trim();
  const common = { headers, extensions: {}, address: isNginx || dialect === "haproxy" ? one("x-real-ip") : last };
  if (dialect === "envoy") {
    const [host = ""] = all("host");
    if (all("host").length > 1 || !url.startsWith("/check/envoy/")) return undefined;
    return { ...common, method, path: url.slice("/check/envoy".length), host, isRaw: true, bytesKnown: false };
  }
  const asked = isNginx ? one("x-original-method") : one("x-forwarded-method");
  const uri = one(
    dialect === "nginx" ? "x-original-uri" : dialect === "ingress-nginx" ? "x-original-url" : "x-forwarded-uri",
  );
  if (asked === undefined || uri === undefined || /,\/|,http/.test(uri)) return undefined;
  const known = { ...common, method: asked, isRaw: true, bytesKnown: true };
  if (dialect !== "ingress-nginx") {
    const [host = ""] = all("x-forwarded-host");
    return all("x-forwarded-host").length > 1 ? undefined : { ...known, path: uri, host };
  }
  const [, host, path] = /^https?:\/\/([^/]*)(\/.*)$/s.exec(uri) ?? [];
  return host === undefined || path === undefined ? undefined : { ...known, path, host };
}

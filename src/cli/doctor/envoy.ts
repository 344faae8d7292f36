import { clusterIn, type Manager, managersIn, placesWithout, subtree, type Tree } from "./envoy-dump.ts";
import { type AuthzFilter, RULES } from "./envoy-rules.ts";
import { type Finding, failure, fine, warning } from "./finding.ts";

const AUTHZ = ".ext_authz.v3.ExtAuthz";

/** The admin interface is near, and a large configuration has some megabytes. */
const ANSWER_WITHIN_MS = 10_000;

/** Envoy tells whole seconds. */
const CLOCK_TOLERANCE_MS = 2_000;

/** Looks at what an Envoy has in effect, by its admin interface. */
export async function examineEnvoy(adminUrl: string, trustedHops: number): Promise<Finding[]> {
  try {
    const url = new URL("/config_dump", adminUrl);
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const dump = (await response.json()) as Tree;
    return [...judgeEnvoy(dump, trustedHops), judgeClock(response.headers.get("date"), Date.now())];
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const advice = "Give --envoy-admin the URL of Envoy's admin interface, such as http://127.0.0.1:9901.";
    return [failure("envoy", `${adminUrl} tells no configuration: ${cause}`, advice)];
  }
}

/** Judges a `config_dump`. */
export function judgeEnvoy(dump: Tree, trustedHops: number): Finding[] {
  const managers = managersIn(dump);
  const places = managers.flatMap((manager) => authzFiltersOf(manager, dump, trustedHops));
  if (places.length === 0) {
    const advice = "Put the ext_authz filter into http_filters, as deploy/envoy/envoy.yaml has it.";
    return [failure("envoy", "no listener asks for authorization: there is no ext_authz filter", advice)];
  }
  const asking = new Set(places.map(({ manager }) => manager));
  return [
    ...places.flatMap(judge),
    ...managers
      .filter((manager) => !asking.has(manager))
      .map(({ listener }) =>
        warning(`envoy ${listener}`, "has no ext_authz filter: nobody judges its requests", "Is that meant?"),
      ),
    ...placesWithout(dump, "envoy.filters.http.ext_authz").map((place) =>
      warning(
        "envoy",
        `${place} turns ext_authz off`,
        "Is that meant? A route with access: public asks, and lets through.",
      ),
    ),
  ];
}

function authzFiltersOf(manager: Manager, dump: Tree, trustedHops: number): AuthzFilter[] {
  return manager.filters.flatMap((filter, at) => {
    const config = subtree(filter, "typed_config");
    if (config === undefined || !String(config["@type"]).endsWith(AUTHZ)) return [];
    const cluster = subtree(config, "grpc_service", "envoy_grpc")?.cluster_name;
    return [
      { manager, at, filter, config, trustedHops, cluster: cluster ? clusterIn(dump, String(cluster)) : undefined },
    ];
  });
}

function judge(place: AuthzFilter): Finding[] {
  const subject = `envoy ${place.manager.listener}`;
  const broken = RULES.filter(({ isBroken }) => isBroken(place));
  if (broken.length === 0) return [fine(subject, "asks Keyward as it should")];
  return broken.map(({ state, message, advice }) => ({ state, subject, message, advice }));
}

function judgeClock(date: string | null, nowMs: number): Finding {
  const offMs = Math.abs(Date.parse(date ?? "") - nowMs);
  if (!(offMs > CLOCK_TOLERANCE_MS)) return fine("clock", "that of Envoy is the same");
  return warning("clock", `that of Envoy differs by ${Math.round(offMs / 1_000)} s`, "Set both by NTP.");
}

/** What is traced, and where it goes. Holds headers that may be secret: never logged, and handed to no thread. */
export interface TraceSettings {
  /** Where spans are posted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Told of this program with each batch: `service.name` and what the operator adds. */
  readonly resource: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly maxQueue: number;
  readonly maxBatch: number;
  readonly sampling: Sampling;
}

/** Which checks are traced. */
export interface Sampling {
  /** Whether what Envoy has decided for its own trace holds. */
  readonly byParent: boolean;
  /** The share of the others, from 0 to 1. */
  readonly ratio: number;
}

/** What the environment says of traces; without an endpoint, nothing is traced. */
export interface TraceReading {
  readonly traces?: TraceSettings;
  readonly warnings: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** The last part of the path, where the endpoint is that of all signals. */
const TRACES_PATH = "/v1/traces";

const SAMPLERS: Readonly<Record<string, (ratio: number) => Sampling>> = {
  always_on: () => ({ byParent: false, ratio: 1 }),
  always_off: () => ({ byParent: false, ratio: 0 }),
  traceidratio: (ratio) => ({ byParent: false, ratio }),
  parentbased_always_on: () => ({ byParent: true, ratio: 1 }),
  parentbased_always_off: () => ({ byParent: true, ratio: 0 }),
  parentbased_traceidratio: (ratio) => ({ byParent: true, ratio }),
};

/**
 * Reads the standard variables of OpenTelemetry. They are set by many for all programs of a machine, so that a value which
 * cannot be followed is a warning and never the end of the program.
 */
export function readTraceSettings(env: Env): TraceReading {
  const warnings: string[] = [];
  const warn = (name: string, must: string) => warnings.push(`${name} must be ${must}; it is passed over`);
  const given = (name: string) => env[name]?.trim() || undefined;
  const either = (name: string) => given(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? given(`OTEL_EXPORTER_OTLP_${name}`);
  const number = (name: string, preset: number, max: number) => {
    const text = given(name);
    if (text === undefined) return preset;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    warn(name, `>= 1 and <= ${max}`);
    return preset;
  };

  const url = readUrl(env, warn);
  const exporter = given("OTEL_TRACES_EXPORTER") ?? "otlp";
  const isOff = given("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || exporter === "none";
  if (url === undefined || isOff) return { warnings };
  if (exporter !== "otlp") warn("OTEL_TRACES_EXPORTER", "otlp or none");
  const protocol = either("PROTOCOL") ?? "http/json";
  if (protocol === "grpc") {
    return { warnings: [...warnings, "OTEL_EXPORTER_OTLP_PROTOCOL grpc must be http/json; nothing is traced"] };
  }
  if (protocol !== "http/json") warnings.push("OTEL_EXPORTER_OTLP_PROTOCOL must be http/json; traces are sent as that");

  const samplerName = given("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const sampler = SAMPLERS[samplerName];
  if (sampler === undefined) warn("OTEL_TRACES_SAMPLER", `one of ${Object.keys(SAMPLERS).join(", ")}`);
  const ratio = Number(given("OTEL_TRACES_SAMPLER_ARG") ?? "1");
  if (!(ratio >= 0 && ratio <= 1)) warn("OTEL_TRACES_SAMPLER_ARG", ">= 0 and <= 1");
  const resource = readPairs(given("OTEL_RESOURCE_ATTRIBUTES"));
  const serviceName = given("OTEL_SERVICE_NAME") ?? resource["service.name"] ?? "keyward";
  const timeoutName = given("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
    ? "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
    : "OTEL_EXPORTER_OTLP_TIMEOUT";
  const maxQueue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2_048, 100_000);
  return {
    warnings,
    traces: {
      url,
      headers: readPairs(either("HEADERS")),
      resource: { ...resource, "service.name": serviceName },
      timeoutMs: number(timeoutName, 10_000, 60_000),
      intervalMs: number("OTEL_BSP_SCHEDULE_DELAY", 5_000, 60_000),
      maxQueue,
      maxBatch: Math.min(maxQueue, number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 10_000)),
      sampling: (sampler ?? SAMPLERS.parentbased_always_on)?.(ratio >= 0 && ratio <= 1 ? ratio : 1) ?? {
        byParent: true,
        ratio: 1,
      },
    },
  };
}

function readUrl(env: Env, warn: (name: string, must: string) => void): string | undefined {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  const common = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  const name = own ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" : "OTEL_EXPORTER_OTLP_ENDPOINT";
  const text = own || common;
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    warn(name, "a URL that begins with http:// or https://");
    return undefined;
  }
  if (!own) url.pathname = url.pathname.replace(/\/$/, "") + TRACES_PATH;
  return url.href;
}

/** `name=value,…`, percent-encoded; what has another form is left out. */
function readPairs(text = ""): Record<string, string> {
  const pairs = text.split(",").flatMap((pair) => {
    const [name = "", ...value] = pair.split("=");
    try {
      return value.length === 0 ? [] : [[name.trim(), decodeURIComponent(value.join("=").trim())] as const];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}

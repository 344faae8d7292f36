import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus } from "../gen/health/v1/health_pb.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/** How many may watch on a listener at a time, as many as it takes connections: each holds a call open, and needs no key. */
const MAX_WATCHES = 256;

/** Whether the admin API serves; who watches is told of each change. */
export interface ServingState {
  readonly serving: boolean;
  /** Whether nothing is told any more: the program is about to end. */
  readonly ended: boolean;
  /** Resolves when one of them changes, or when the signal is aborted; at once where it has ended. */
  changed(signal: AbortSignal): Promise<void>;
}

/** The health of the admin API (`grpc.health.v1`), as a whole (`""`) and for each of its services. */
export function createHealthService(state: ServingState, services: readonly string[]): ServiceImpl<typeof Health> {
  const statusOf = () => (state.serving ? SERVING : NOT_SERVING);
  const isKnown = (service: string) => service === "" || services.includes(service);
  let watches = 0;
  return {
    check({ service }) {
      if (!isKnown(service)) throw new ConnectError("unknown service", Code.NotFound);
      return { status: statusOf() };
    },
    list() {
      return { statuses: Object.fromEntries(["", ...services].map((service) => [service, { status: statusOf() }])) };
    },
    async *watch({ service }, { signal }) {
      if (watches >= MAX_WATCHES) throw new ConnectError(`${MAX_WATCHES} watch already`, Code.ResourceExhausted);
      watches++;
      try {
        if (!isKnown(service)) yield { status: SERVICE_UNKNOWN };
        while (!signal.aborted) {
          if (isKnown(service)) yield { status: statusOf() };
          await state.changed(signal);
          if (state.ended) throw new ConnectError("the program is shutting down", Code.Unavailable);
        }
      } finally {
        watches--;
      }
    },
  };
}

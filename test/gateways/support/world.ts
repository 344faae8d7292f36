import { startUpstream } from "../../../demo/upstream.ts";
import { type ClientAnswer, type ClientRequest, sendHttp1 } from "../../e2e/support/client.ts";
import { type Keyward, type KeywardOptions, startKeyward } from "../../support/keyward.ts";
import { GATEWAYS, type GatewayName, type RunningGateway } from "./programs.ts";

/** The names of all gateways. */
export const GATEWAY_NAMES = Object.keys(GATEWAYS) as readonly GatewayName[];

/** A Keyward, an upstream that tells what it received, and every gateway between them. */
export interface World {
  readonly keyward: Keyward;
  send(gateway: GatewayName, request: ClientRequest): Promise<ClientAnswer>;
  /** What a gateway has written so far. */
  log(gateway: GatewayName): string;
  stop(): Promise<void>;
}

/** Starts all of it. */
export async function startWorld(options: KeywardOptions): Promise<World> {
  const upstream = await startUpstream();
  const stops = [upstream.stop];
  const stop = async () => {
    for (const step of stops.toReversed()) await step();
  };
  try {
    const keyward = await startKeyward(options);
    stops.push(keyward.stop);
    const around = { keyward: Number(keyward.forwardAuth.split(":")[1]), upstream: upstream.port };
    const started = await Promise.allSettled(
      GATEWAY_NAMES.map(async (name) => {
        const gateway = await GATEWAYS[name](around);
        stops.push(gateway.stop);
        return [name, gateway] as const;
      }),
    );
    const running: Partial<Record<GatewayName, RunningGateway>> = {};
    for (const start of started) {
      if (start.status === "rejected") throw start.reason;
      const [name, gateway] = start.value;
      running[name] = gateway;
    }
    return {
      keyward,
      send: (name, request) => sendHttp1(running[name]?.port ?? 0, request),
      log: (name) => running[name]?.log() ?? "",
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

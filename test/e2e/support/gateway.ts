import { shippedEnvoyConfig } from "../../../demo/envoy-config.ts";
import { startUpstream } from "../../../demo/upstream.ts";
import { type Envoy, startEnvoy } from "../../support/envoy.ts";
import { type Keyward, type KeywardOptions, startKeyward } from "../../support/keyward.ts";
import { type BareEnvoyOptions, bareEnvoyConfig } from "./bare-envoy.ts";

/** A Keyward, an upstream that tells what it received, and Envoys between them. */
export interface Gateway {
  keyward: Keyward;
  /** An Envoy with the configuration that is shipped, each of `changes` made in it. */
  shipped(...changes: readonly { from: string; to: string }[]): Promise<EnvoyInFront>;
  /** An Envoy with next to nothing in its configuration but ext_authz. */
  bare(options?: BareEnvoyOptions): Promise<EnvoyInFront>;
  stop(): Promise<void>;
}

/** One of the Envoys. */
export interface EnvoyInFront extends Pick<Envoy, "accessLog" | "adminPort"> {
  port: number;
}

/** Starts Keyward and the upstream; Envoys are started as they are asked for. */
export async function startGateway(options: KeywardOptions = {}): Promise<Gateway> {
  const upstream = await startUpstream();
  const stops: (() => Promise<void>)[] = [upstream.stop];
  const stop = async () => {
    for (const step of stops.toReversed()) await step();
  };
  try {
    const keyward = await startKeyward(options);
    stops.push(keyward.stop);
    const ports = { keyward: Number(keyward.authz.split(":")[1]), upstream: upstream.port };
    const inFront = async (config: string | object) => {
      const envoy = await startEnvoy({ config });
      stops.push(envoy.stop);
      return { port: envoy.port("ingress"), accessLog: envoy.accessLog, adminPort: envoy.adminPort };
    };
    return {
      keyward,
      stop,
      async shipped(...changes) {
        let text = await shippedEnvoyConfig(ports);
        for (const { from, to } of changes) {
          const parts = text.split(from);
          if (parts.length !== 2) throw new Error(`deploy/envoy/envoy.yaml says "${from}" not exactly once`);
          text = parts.join(to);
        }
        return inFront(text);
      },
      bare: (bare) => inFront(bareEnvoyConfig(ports, bare)),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

import { once } from "node:events";
import { request } from "node:http";
import { connect as connectTcp, type NetConnectOpts } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { type Address, formatAddress } from "../../config/address.ts";
import type { Settings } from "../../config/settings.ts";
import { HealthCheckResponse_ServingStatus, HealthCheckResponseSchema } from "../../gen/health/v1/health_pb.ts";
import { type Finding, failure, fine, warning } from "./finding.ts";

/** A listener on this machine answers in milliseconds; a stuck one is told after this. */
const ANSWER_WITHIN_MS = 3_000;

/** Time enough to renew a certificate by hand. */
const RENEW_BEFORE_MS = 14 * 86_400_000;

type ListenerName = "authz" | "forwardAuth" | "admin" | "adminLocal" | "ops";

const NAMES: readonly (readonly [ListenerName, "authz" | "forward_auth" | "admin" | "admin_local" | "ops"])[] = [
  ["authz", "authz"],
  ["forwardAuth", "forward_auth"],
  ["admin", "admin"],
  ["adminLocal", "admin_local"],
  ["ops", "ops"],
];

/** Looks whether each listener that is configured answers, and what the program behind it says of itself. */
export async function examineListeners(settings: Pick<Settings, "listen" | "tls" | "mode">): Promise<Finding[]> {
  const asked = NAMES.flatMap(([name, setting]) => {
    const address = settings.listen[name];
    const isChecks = name === "authz" || name === "forwardAuth";
    const isServed = name === "ops" || settings.mode === "all" || (settings.mode === "authz") === isChecks;
    if (address === undefined || !isServed) return [];
    const secured = setting !== "admin_local" && settings.tls[setting] !== undefined;
    return [examine(name, `listen.${setting}`, address, secured)];
  });
  return Promise.all(asked);
}

async function examine(name: ListenerName, subject: string, address: Address, secured: boolean): Promise<Finding> {
  const where = formatAddress(address);
  if (address.kind === "tcp" && address.port === 0) {
    return warning(subject, `${where} is another port at each start`, "Give it a port, and doctor can ask there.");
  }
  try {
    if (secured) return await examineCertificate(subject, address);
    if (name === "ops") return await examineReadiness(subject, address);
    if (name === "authz") return await examineHealth(subject, address);
    (await connected(connectTcp(optionsOf(address)))).destroy();
    return fine(subject, `${where} answers`);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return failure(
      subject,
      `${where} does not answer: ${cause}`,
      "Is `keyward serve` running, with this configuration?",
    );
  }
}

async function examineReadiness(subject: string, address: Address): Promise<Finding> {
  const target = address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const asked = request({ ...target, path: "/readyz", agent: false, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const [response] = await once(asked.end(), "response");
  const body = (await text(response)).trim().split("\n");
  if (response.statusCode === 200) return fine(subject, `${formatAddress(address)} says ${body.join("; ")}`);
  const advice = "The log of `keyward serve` says why.";
  return failure(subject, `${formatAddress(address)} says ${body.join("; ")}`, advice);
}

async function examineHealth(subject: string, address: Address): Promise<Finding> {
  const where = formatAddress(address);
  const client = new Client(where, credentials.createInsecure());
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const options = { deadline: Date.now() + ANSWER_WITHIN_MS };
    const answered = (error: ServiceError | null, answer?: Buffer) =>
      answer === undefined ? reject(new Error(error?.details)) : resolve(answer);
    client.makeUnaryRequest("/grpc.health.v1.Health/Check", asIs, asIs, Buffer.alloc(0), options, answered);
    const { status } = fromBinary(HealthCheckResponseSchema, await promise);
    if (status === HealthCheckResponse_ServingStatus.SERVING) return fine(subject, `${where} is SERVING`);
    return failure(subject, `${where} is not SERVING`, "The log of `keyward serve` says why.");
  } finally {
    client.close();
  }
}

async function examineCertificate(subject: string, address: Address): Promise<Finding> {
  // Whose it is, those who connect judge: here only whether it is there and how long it lasts.
  const socket = await connected(connectTls({ ...optionsOf(address), rejectUnauthorized: false }), "secureConnect");
  const endsAtMs = Date.parse(socket.getPeerCertificate().valid_to);
  socket.destroy();
  const leftMs = endsAtMs - Date.now();
  const message = `${formatAddress(address)} answers by TLS; its certificate ends ${new Date(endsAtMs).toISOString()}`;
  if (leftMs < 0) return failure(subject, message, "Renew it: the new file is taken without a restart.");
  return leftMs < RENEW_BEFORE_MS ? warning(subject, message, "Renew it soon.") : fine(subject, message);
}

async function connected<Socket extends ReturnType<typeof connectTcp>>(
  socket: Socket,
  event = "connect",
): Promise<Socket> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

function optionsOf(address: Address): NetConnectOpts {
  return address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

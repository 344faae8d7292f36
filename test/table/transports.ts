import { createCheck } from "../../src/check/check.ts";
import { decide } from "../../src/check/decide.ts";
import { readHost } from "../../src/check/host.ts";
import { DIALECT_NAMES, type DialectName } from "../../src/check/http/dialects.ts";
import { readPath } from "../../src/check/path.ts";
import { createRateLimiter } from "../../src/check/rate-limit.ts";
import { REASON_NAMES, REASONS } from "../../src/check/reason.ts";
import { loadSettings } from "../../src/config/load.ts";
import { RATE_CELLS } from "../../src/key/record.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { openKeyReader } from "../../src/store/reader.ts";
import { askAbout } from "../check/http/support/asking.ts";
import type { ClientAnswer, Send } from "../e2e/support/client.ts";
import { sendHttp1, sendHttp2 } from "../e2e/support/client.ts";
import { type Gateway, startGateway } from "../e2e/support/gateway.ts";
import { digestOf } from "../store/support/keys.ts";
import { adminCall } from "../support/admin-call.ts";
import { AUTHORIZATION, createCheckClient } from "../support/check-client.ts";
import { describeRequest } from "../support/check-request.ts";
import { askForwardAuth, type ForwardAnswer } from "../support/forward-auth.ts";
import { portsOf } from "../support/sample-check.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";
import { BROKEN, CONFIG, type TableRequest } from "./requests.ts";

/** What came of a request. */
export interface Answer {
  /** That of a denial, or `allowed`, or `public`. */
  readonly reason: string;
  /** Undefined where the transport knows of no HTTP. */
  readonly status: number | undefined;
  /** Whose key the upstream is told that it was. */
  readonly keyId: string | undefined;
}

/** Has a request judged. `secret` is what it presents, for those who are not to read it themselves. */
type Transport = (request: TableRequest, secret: string) => Promise<Answer>;

/** The HTTP versions and the settings of Envoy between which nothing may differ. */
const ENVOYS = {
  "Envoy over HTTP/1.1, raw headers": [sendHttp1, true],
  "Envoy over HTTP/1.1, a map of headers": [sendHttp1, false],
  "Envoy over HTTP/2, raw headers": [sendHttp2, true],
  "Envoy over HTTP/2, a map of headers": [sendHttp2, false],
} as const satisfies Readonly<Record<string, readonly [Send, encodeRawHeaders: boolean]>>;

const ENVOY_NAMES = Object.keys(ENVOYS) as (keyof typeof ENVOYS)[];

/** The dialects in which gateways ask over HTTP, each asked as its gateway does. */
type HttpTransport = `HTTP as ${DialectName}`;

const HTTP_NAMES = DIALECT_NAMES.map((name): HttpTransport => `HTTP as ${name}`);

/** Every way in which a request can be put to Keyward. */
export const TRANSPORT_NAMES = [
  "decide",
  "check(bytes)",
  "the gRPC socket",
  "ExplainCheck",
  "VerifyKey",
  ...ENVOY_NAMES,
  ...HTTP_NAMES,
] as const;

export type TransportName = (typeof TRANSPORT_NAMES)[number];

/** A running Keyward, and all ways to it and to its code beside it. */
export interface Transports {
  /** The path of the local admin socket. */
  readonly adminSocket: string;
  ask(name: TransportName, request: TableRequest, secret: string): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a Keyward and two Envoys. What runs in this process reads the same configuration file and the same database. */
export async function openTransports(): Promise<Transports> {
  const gateway = await startGateway({ config: CONFIG, env: { KEYWARD_ENCRYPTION_KEY: "ab".repeat(32) } });
  try {
    const envoys = await openEnvoys(gateway);
    const inProcess = openInProcess(gateway.keyward);
    const client = createCheckClient(gateway.keyward.authz);
    const transports: Readonly<Record<TransportName, Transport>> = {
      decide: async (request, secret) => inProcess.decide(request, secret),
      "check(bytes)": async (request) => answerIn(inProcess.check(bytesOf(request))),
      "the gRPC socket": async (request) => {
        return answerIn(await client.call(`/${AUTHORIZATION}/Check`, bytesOf(request)));
      },
      ExplainCheck: (request) => explained(gateway.keyward.adminSocket, request),
      VerifyKey: (request, secret) => verified(gateway.keyward.adminSocket, request, secret),
      ...envoys,
      ...openHttp(gateway.keyward),
    };
    return {
      adminSocket: gateway.keyward.adminSocket,
      ask: (name, request, secret) => transports[name](request, secret),
      async stop() {
        client.close();
        inProcess.close();
        await gateway.stop();
      },
    };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

const HOST = "api.test";

function openInProcess({ folder, database }: Gateway["keyward"]) {
  const { settings } = loadSettings({ flags: {}, env: {}, cwd: folder });
  const compiled = compilePolicy(settings.policy);
  if ("problems" in compiled) throw new Error("the running program has taken this configuration");
  const { policy } = compiled;
  const store = openKeyReader(database);
  const rates = createRateLimiter(new BigInt64Array(RATE_CELLS), process.hrtime.bigint);
  const check = createCheck(portsOf({ policy, credentials: settings.credentials, store, rates }));
  return {
    check: (bytes: Uint8Array) => check(bytes, { nowMs: Date.now(), decisionId: "d-1" }),
    decide({ method, path: target, from }: TableRequest, secret: string): Answer {
      const record = store.find(digestOf(secret));
      const [host, path] = [readHost(HOST), readPath(target, true)];
      if (record === undefined || host === undefined || path === undefined) throw new Error("nothing to decide upon");
      const rule = policy.ruleFor(method, host, path);
      const judging = { scopes: policy.scopes, rates };
      const decision = decide({ method, path, address: from }, rule, record, Date.now(), judging);
      return { reason: decision.reason, status: undefined, keyId: decision.allowed ? decision.record?.id : undefined };
    },
    close: () => store.close(),
  };
}

async function openEnvoys(gateway: Gateway): Promise<Readonly<Record<keyof typeof ENVOYS, Transport>>> {
  const extensions = { [BROKEN.prefix]: BROKEN.extensions };
  const raw = await gateway.bare({ encodeRawHeaders: true, extensions });
  const map = await gateway.bare({ encodeRawHeaders: false, extensions });
  const through = (name: keyof typeof ENVOYS): Transport => {
    const [send, isRaw] = ENVOYS[name];
    return async (request) => answerOf(await send((isRaw ? raw : map).port, request));
  };
  const transports = ENVOY_NAMES.map((name) => [name, through(name)] as const);
  return Object.fromEntries(transports) as Record<keyof typeof ENVOYS, Transport>;
}

function openHttp({ forwardAuth }: Gateway["keyward"]): Readonly<Record<HttpTransport, Transport>> {
  const transports = DIALECT_NAMES.map((dialect) => {
    const ask: Transport = async ({ method, path: target, headers, from: address }) => {
      const asked = askAbout(dialect, { method, target, headers, address, host: HOST });
      return dialectsAnswer(dialect, await askForwardAuth(forwardAuth, asked));
    };
    return [`HTTP as ${dialect}`, ask] as const;
  });
  return Object.fromEntries(transports) as Record<HttpTransport, Transport>;
}

/** What a gateway is told. The real status of a denial is not told to all of them: theirs must be the one that stands for it. */
function dialectsAnswer(dialect: DialectName, { status, headers }: ForwardAnswer): Answer {
  const reason = String(headers["x-keyward-reason"]);
  const keyId = headers["x-keyward-key-id"]?.toString() || undefined;
  if (status === 200 || !dialect.endsWith("nginx")) return { reason, status, keyId };
  const refused = REASON_NAMES.find((name) => name === reason);
  const real = refused && REASONS[refused].status;
  return { reason, status: status === (real === 401 ? 401 : 403) ? real : status, keyId };
}

/** Whether a dialect can ask about a request: it has no rules of routes. */
export function isOfDialects({ path }: TableRequest): boolean {
  return !path.startsWith(BROKEN.prefix);
}

/** Whether ExplainCheck can be asked about a request: it presents nothing, or a bearer token. */
export function isExplainable({ headers, path }: TableRequest): boolean {
  return headers.length < 2 && headers.every(isBearer) && !path.includes("api_key=");
}

function isBearer([name, value]: TableRequest["headers"][number]): boolean {
  return name === "authorization" && value.startsWith("Bearer ");
}

async function explained(socket: string, { method, path, headers, from: ip }: TableRequest): Promise<Answer> {
  const key = headers[0]?.[1].slice("Bearer ".length) ?? "";
  const contextExtensions = path.startsWith(BROKEN.prefix) ? BROKEN.extensions : {};
  const question = { key, presented: key !== "", method, path, host: HOST, ip, contextExtensions };
  const answer = await adminCall<KeyAnswer & { steps: { state: string }[] }>(
    socket,
    "KeyService/ExplainCheck",
    question,
  );
  const isRefused = answer.steps.some(({ state }) => state === "CHECK_STEP_STATE_FAILED");
  if (isRefused === (answer.allowed ?? false)) throw new Error(`the steps say otherwise than ${answer.reason}`);
  return toldBy(answer);
}

async function verified(socket: string, { method, path, from: ip }: TableRequest, key: string): Promise<Answer> {
  const answer = await adminCall<KeyAnswer>(socket, "KeyService/VerifyKey", { key, method, path, host: HOST, ip });
  if ((answer.valid ?? false) !== (answer.reason === "allowed"))
    throw new Error(`${answer.reason} is not ${answer.valid}`);
  return toldBy(answer);
}

interface KeyAnswer {
  readonly allowed?: boolean;
  readonly valid?: boolean;
  readonly reason: string;
  readonly httpStatus: number;
  readonly key?: { readonly id: string };
}

function toldBy({ reason, httpStatus: status, key }: KeyAnswer): Answer {
  return { reason, status, keyId: reason === "allowed" ? key?.id : undefined };
}

function bytesOf({ from, ...request }: TableRequest): Uint8Array {
  const extensions = request.path.startsWith(BROKEN.prefix) ? BROKEN.extensions : {};
  return describeRequest({ ...request, host: HOST, sourceAddress: from, extensions });
}

/** What a serialized CheckResponse says. */
function answerIn(bytes: Uint8Array): Answer {
  const verdict = verdictOf(bytes);
  const { code, answer, metadata } = verdict;
  const headers = headersOf(verdict);
  if (answer === "ok" && code === 0) {
    return { reason: String(metadata.reason), status: 200, keyId: headers["x-keyward-key-id"] };
  }
  const isDenial = answer === "denied" && code !== 0 && metadata.reason === headers["x-keyward-reason"];
  const reason = isDenial ? String(metadata.reason) : `${answer} with the code ${code} for ${metadata.reason}`;
  return { reason, status: verdict.status, keyId: undefined };
}

/** What client and upstream have seen. */
function answerOf({ status, reason, seen }: ClientAnswer): Answer {
  const keyId = seen?.headers["x-keyward-key-id"]?.toString();
  const letThrough = keyId === undefined ? "public" : "allowed";
  return { reason: reason ?? (seen === undefined ? "none" : letThrough), status, keyId };
}

import { ConnectError, createContextValues } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { KeyService } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { holdsSecret } from "../../key/secret.ts";
import type { Log } from "../../observe/log.ts";
import { admit, kWithin } from "../access.ts";
import { asApiError, invalidArgument } from "../errors.ts";
import type { Login } from "../login/login.ts";
import { kPeer, peerOf } from "../login/peer.ts";
import { tenantMeant } from "../tenancy.ts";
import { readJsonBody } from "./json-body.ts";
import { type RestFormat, readCreateBody, readRevokeBody, restFieldOf } from "./rest-body.ts";
import { restKeyOf } from "./rest-key.ts";
import { readListQuery } from "./rest-list.ts";
import { type RestRoute, restRouteOf } from "./rest-route.ts";
import type { CallOrigin, ServiceCall } from "./service-call.ts";

type Handler = NonNullable<Parameters<typeof connectNodeAdapter>[0]["fallback"]>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/** What is sent, as JSON. */
interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const METHODS = {
  create: KeyService.method.createKey,
  list: KeyService.method.listKeys,
  revoke: KeyService.method.revokeKey,
} as const;

/**
 * Answers clients of the tenant-scoped REST shape: `POST /api/v1/tenant/{tenant}/api-keys/create`, `GET …/list` and `POST
 * …/{id}/revoke`, in snake_case and with times in Unix seconds. Behind them are the methods of KeyService, with their
 * access, their tenancy and their bounds. An error is `{"success":false,"error":…,"reason":…,"message":…}`; `error` is the
 * code as Connect writes it, and `reason` that of `google.rpc.ErrorInfo`.
 */
export function createRestHandler(
  call: ServiceCall,
  login: Login,
  { local, defaultFormat, log }: { readonly local: boolean; readonly defaultFormat: RestFormat; readonly log: Log },
): Handler {
  const answerTo = async (request: Request, signal: AbortSignal): Promise<Answer> => {
    const [path = "", ...query] = (request.url ?? "").split("?");
    const route = restRouteOf(request.method ?? "", path);
    if ("message" in route) {
      const error = ({ 400: "invalid_argument", 404: "not_found", 405: "method_not_allowed" } as const)[route.status];
      return refusal(route.status, error, route.message, route.allow === undefined ? {} : { allow: route.allow });
    }
    const peer = peerOf(request, local);
    const authorization = request.headers.authorization ?? null;
    // Before anything of the body is judged: who may not call learns nothing.
    const caller = await admit(KeyService.typeName, METHODS[route.action].name, authorization, peer, login);
    if (caller !== undefined) tenantMeant(route.tenant, caller);
    const contextValues = createContextValues().set(kPeer, peer).set(kWithin, route.tenant);
    const origin = { authorization, contextValues, signal };
    if (route.action === "list") return list(route, query.join("?"), origin);
    const body = await readJsonBody(request);
    if ("problem" in body) return refusal(body.status, BODY_ERRORS[body.status], body.problem);
    if (route.action === "create") return make(route, body.value, origin);
    return revoke(route.id, body.value, origin);
  };

  const make = async ({ tenant }: RestRoute, body: unknown, origin: CallOrigin): Promise<Answer> => {
    const request = readCreateBody(body, tenant, defaultFormat);
    const { key, secret, warning } = await call(METHODS.create, request, origin);
    if (key === undefined) throw new Error("a key was made without a record");
    return { status: 200, body: { ...restKeyOf(key), api_key: secret, ...(warning && { warning }) } };
  };

  const list = async ({ tenant }: RestRoute, query: string, origin: CallOrigin): Promise<Answer> => {
    const request = { filter: `tenant = "${tenant}"`, ...readListQuery(query) };
    const { keys, nextPageToken } = await call(METHODS.list, request, origin);
    return { status: 200, body: { api_keys: keys.map(restKeyOf), next_page_token: nextPageToken || null } };
  };

  const revoke = async (id: string, body: unknown, origin: CallOrigin): Promise<Answer> => {
    if (holdsSecret(id))
      throw invalidArgument([{ field: "the id", description: "is a whole key, and URLs are logged" }]);
    const { key, warning } = await call(METHODS.revoke, { key: id, reason: readRevokeBody(body) }, origin);
    const message = `the API key ${key?.id} is revoked${warning && `; ${warning}`}`;
    return { status: 200, body: { success: true, message } };
  };

  return (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    answerTo(request, gone.signal)
      .catch((error: unknown) => {
        // What a service has thrown comes as an error of the API, and was logged where that was needed.
        if (!(error instanceof ConnectError) && !gone.signal.aborted) {
          const described = error instanceof Error ? (error.stack ?? error.message) : String(error);
          log("error", "a request of the REST API failed", { error: described });
        }
        return refusalOf(asApiError(error));
      })
      .then((answer) => send(answer, request, response));
  };
}

const BODY_ERRORS = { 400: "invalid_argument", 413: "too_large", 415: "unsupported_media_type" } as const;

function refusal(status: number, error: string, message: string, headers: Answer["headers"] = {}): Answer {
  return { status, headers, body: { success: false, error, message } };
}

/** An error of the API, with the status that Connect gives it and the names that fields have here. */
function refusalOf(error: ConnectError): Answer {
  const [info] = error.findDetails(ErrorInfoSchema);
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const told = violations.map(({ field, description }) => `${restFieldOf(field)} ${description}`);
  const status = codeToHttpStatus(error.code);
  return {
    status,
    // RFC 9110 §15.5.2 asks for it.
    headers: status === 401 ? { "www-authenticate": 'Bearer realm="keyward"' } : {},
    body: {
      success: false,
      error: codeToString(error.code),
      ...(info && { reason: info.reason }),
      message: told.join("; ") || error.rawMessage,
    },
  };
}

function send({ status, headers = {}, body }: Answer, request: Request, response: Response): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.statusCode = status;
  const own = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
    // Some answers hold a secret, and none is worth keeping.
    "cache-control": "no-store",
  };
  for (const [name, value] of Object.entries({ ...own, ...headers })) response.setHeader(name, value);
  response.end(request.method === "HEAD" ? "" : text);
}

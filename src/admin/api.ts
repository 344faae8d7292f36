import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { RateLimiter } from "../check/rate-limit.ts";
import type { Settings } from "../config/settings.ts";
import { ServerReflection as ServerReflectionV1 } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../gen/health/v1/health_pb.ts";
import { AdminKeyService } from "../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { AuditService } from "../gen/keyward/admin/v1/audit_service_pb.ts";
import { KeyService } from "../gen/keyward/admin/v1/key_service_pb.ts";
import { OwnerService } from "../gen/keyward/admin/v1/owner_service_pb.ts";
import { SystemService } from "../gen/keyward/admin/v1/system_service_pb.ts";
import type { DenialRing } from "../observe/denial-ring.ts";
import type { Log } from "../observe/log.ts";
import type { MetricCells } from "../observe/metrics/cells.ts";
import type { Policy } from "../policy/policy.ts";
import type { Board } from "../serve/threads/board.ts";
import type { Store } from "../store/store.ts";
import { accessInterceptor, errorInterceptor, rulesInterceptor } from "./access.ts";
import { createAdminKeyService } from "./admin-key-service.ts";
import { createAuditService } from "./audit/audit-service.ts";
import type { Watches } from "./audit/watches.ts";
import { callMetricsInterceptor } from "./call-metrics.ts";
import { createDecisions } from "./explain/decisions.ts";
import { createKeyChecks } from "./explain/key-checks.ts";
import { createGrants } from "./grants.ts";
import { createHealthService, type ServingState } from "./health-service.ts";
import { createKeyService } from "./keys/key-service.ts";
import type { Login } from "./login/login.ts";
import { kPeer, peerOf } from "./login/peer.ts";
import { createOwnerService } from "./owners/owner-service.ts";
import { createReflectionService } from "./reflection-service.ts";
import type { RestFormat } from "./rest/rest-body.ts";
import { isRestPath } from "./rest/rest-route.ts";
import { createJwksHandler } from "./signing/jwks.ts";
import type { SigningKeyRing } from "./signing/signing-key-ring.ts";
import type { TokenSigner } from "./signing/token-signer.ts";
import { createSystemService, type ProgramFacts } from "./system-service.ts";

/** What the admin API works on. */
export interface AdminApi {
  readonly store: Store;
  readonly board: Board;
  readonly state: ServingState;
  readonly program: ProgramFacts;
  /** What the configuration says of routes and scopes. */
  readonly policy: Policy;
  /** Counts what rate limits allow, together with the check threads of this process. */
  readonly rates: RateLimiter;
  /** How many proxies stand in front of Envoy. */
  readonly trustedHops: number;
  /** What the check threads of this process have denied. */
  readonly denials: readonly DenialRing[];
  readonly tenants: Settings["tenants"];
  /** Tells who calls over the network. */
  readonly login: Login;
  readonly keyLifetime: Settings["keyLifetime"];
  readonly signingKeys: SigningKeyRing;
  readonly signer: TokenSigner;
  /** What a key of the REST façade is where its client does not say it. */
  readonly restFormat: RestFormat;
  /** The watches of the audit trail that are open, by whichever handler. */
  readonly watches: Watches;
  /** Where calls are counted. */
  readonly metrics: MetricCells;
  readonly log: Log;
  /** Aborted when calls in progress are to come to their end. */
  readonly shutdownSignal: AbortSignal;
}

/** Answers HTTP/1.1 and HTTP/2 requests of one listener. */
export type AdminHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** The largest request: CreateKey with every list and text at its bound is under 100 KiB. */
const MAX_REQUEST_BYTES = 1024 * 1024;

const SERVICES = [
  KeyService,
  OwnerService,
  AdminKeyService,
  AuditService,
  SystemService,
  Health,
  ServerReflectionV1,
  ServerReflectionV1Alpha,
];

/**
 * Makes the handler of the admin API: Connect, gRPC, gRPC-Web and plain JSON on the same paths. On the local admin socket
 * whoever calls is the administrator; elsewhere an admin key is asked for.
 */
export function createAdminHandler(api: AdminApi, local: boolean): AdminHandler {
  const {
    store,
    board,
    state,
    program,
    policy,
    rates,
    trustedHops,
    denials,
    tenants,
    keyLifetime,
    signingKeys,
    signer,
    login,
    log,
    shutdownSignal,
  } = api;
  const { scopes } = policy;
  const jwks = createJwksHandler(store, log);
  const rules = rulesInterceptor({ definedScopes: scopes.defined, maxLifetimeMs: keyLifetime.maxMs });
  const grants = createGrants(tenants, scopes);
  let handlers: ConnectRouter["handlers"] = [];
  /** The façade is loaded for its first request: many have no client for it. */
  const startRest = async () => {
    const [{ createRestHandler }, { createServiceCall }] = await Promise.all([
      import("./rest/rest-handler.ts"),
      import("./rest/service-call.ts"),
    ]);
    return createRestHandler(createServiceCall(handlers), login, { local, defaultFormat: api.restFormat, log });
  };
  let rest: ReturnType<typeof startRest> | undefined;
  const routes = (router: ConnectRouter) => {
    const reflection = createReflectionService(SERVICES);
    router
      .service(KeyService, {
        ...createKeyService(store, board, grants, keyLifetime, tenants, signer, scopes.defined),
        ...createKeyChecks({ store, policy, rates, trustedHops, servesChecks: board.applied.length > 0 }),
        ...createDecisions(denials, store),
      })
      .service(OwnerService, createOwnerService(store, board, grants))
      .service(AdminKeyService, createAdminKeyService(store))
      .service(AuditService, createAuditService(store, api.watches))
      .service(SystemService, createSystemService(store, board, program, signingKeys))
      .service(
        Health,
        createHealthService(
          state,
          SERVICES.map(({ typeName }) => typeName),
        ),
      )
      .service(ServerReflectionV1, reflection)
      .service(ServerReflectionV1Alpha, reflection);
    handlers = router.handlers;
  };
  return connectNodeAdapter({
    routes,
    fallback(request, response) {
      if (!isRestPath(request.url ?? "")) return jwks(request, response);
      rest ??= startRest();
      void rest.then((answer) => answer(request, response));
    },
    readMaxBytes: MAX_REQUEST_BYTES,
    // Ends streams that would go on for as long as their caller likes.
    shutdownSignal,
    // A mistyped expiry that is passed over would make a key that never ends.
    jsonOptions: { ignoreUnknownFields: false },
    interceptors: [callMetricsInterceptor(api.metrics), errorInterceptor(log), accessInterceptor(login), rules],
    contextValues: (request) => createContextValues().set(kPeer, peerOf(request, local)),
  });
}

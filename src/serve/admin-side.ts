import { isDeepStrictEqual } from "node:util";
import { type AdminApi, type AdminHandler, createAdminHandler } from "../admin/api.ts";
import { createWatches } from "../admin/audit/watches.ts";
import { createLogin } from "../admin/login/login.ts";
import { createLoginGuard } from "../admin/login/login-guard.ts";
import { createSigningKeyRing } from "../admin/signing/signing-key-ring.ts";
import { createTokenSigner } from "../admin/signing/token-signer.ts";
import type { Settings } from "../config/settings.ts";
import { createLoginFailures } from "../observe/login-failures.ts";
import { soundPolicy } from "../policy/policy.ts";

/** What answers calls of the admin API, on each of its listeners. */
export interface AdminSide {
  readonly network: AdminHandler;
  /** On the local admin socket. */
  readonly local: AdminHandler;
  /** Obeys other settings from the next call on. Calls in progress end as they began. */
  reload(settings: Settings): void;
}

/** What stays while settings change. */
export type AdminPorts = Pick<
  AdminApi,
  "store" | "board" | "state" | "program" | "rates" | "metrics" | "denials" | "log" | "shutdownSignal"
>;

/** Makes the admin API by settings, in front of the writer's store. */
export function createAdminSide(settings: Settings, ports: AdminPorts): AdminSide {
  const { store, metrics, log, shutdownSignal } = ports;
  const watches = createWatches(metrics);
  const signingKeys = createSigningKeyRing(store, settings.encryptionKey);
  const loginPorts = {
    store,
    guard: createLoginGuard(shutdownSignal),
    onFailure: createLoginFailures(metrics, log),
  };
  let identities = { said: identitiesIn(settings), reconsidered: new AbortController() };
  /** Who watches by a certificate or a token has to log in again where other identities count. */
  const reconsider = (settings: Settings) => {
    const said = identitiesIn(settings);
    if (isDeepStrictEqual(said, identities.said)) return;
    identities.reconsidered.abort();
    identities = { said, reconsidered: new AbortController() };
  };
  const handlersBy = (settings: Settings) => {
    const { policy: config, trustedHops, tenants, keyLifetime, jwt, rest } = settings;
    const login = createLogin(settings, { ...loginPorts, reconsidered: identities.reconsidered.signal });
    const policy = soundPolicy(config);
    const signer = createTokenSigner(signingKeys, store, policy.scopes, jwt);
    const said = { policy, trustedHops, tenants, keyLifetime, restFormat: rest.defaultFormat };
    const api: AdminApi = { ...ports, ...said, watches, signingKeys, signer, login };
    return { network: createAdminHandler(api, false), local: createAdminHandler(api, true) };
  };
  let handlers = handlersBy(settings);
  return {
    network: (request, response) => handlers.network(request, response),
    local: (request, response) => handlers.local(request, response),
    reload(settings) {
      reconsider(settings);
      handlers = handlersBy(settings);
    },
  };
}

/** What the settings say of callers without an admin key. */
function identitiesIn({ oidc, adminIdentities }: Settings): Pick<Settings, "oidc" | "adminIdentities"> {
  return { oidc, adminIdentities };
}

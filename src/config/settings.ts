import type { CredentialSource } from "../check/credential.ts";
import type { Access, PolicyConfig } from "../policy/config.ts";
import type { Address } from "./address.ts";
import type { AdminIdentityConfig } from "./admin-identities.ts";
import type { Reading } from "./reading.ts";
import type { TenantConfig } from "./tenants.ts";
import type { TlsFiles } from "./tls-files.ts";
import type { TlsListener } from "./tls-listeners.ts";
import {
  address,
  connectionAge,
  duration,
  filePath,
  headerName,
  integer,
  issuerUrl,
  lifetime,
  oneOf,
  party,
  retention,
  staleness,
  text,
  truth,
  unixAddress,
  type ValueType,
} from "./value-type.ts";

/** A setting of one value. Its name in the file is its key in the table; flag and variable follow from that. */
interface Setting<T, Default extends string | undefined = string | undefined> {
  readonly type: ValueType<T>;
  /** As a person would write it. Undefined: nothing is set, and what that means stands in `what`. */
  readonly default: Default;
  /** What makes a changed value take effect: reloading the file (`reload.ts`), or only another start of the program. */
  readonly change: "reload" | "restart";
  /** What it does, as a sentence without the full stop. */
  readonly what: string;
  /** Why the default and the bounds are what they are. */
  readonly why: string;
  /** Set where the environment does not say it: the variable of that name holds something else. */
  readonly variable?: "none";
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Stands in a default for the value of the setting `database`. */
export const DATABASE_PLACEHOLDER = "{database}";

/** Every setting of one value, once. */
const SETTINGS = {
  mode: setting({
    type: oneOf("all", "authz", "admin"),
    default: "all",
    change: "restart",
    what: "What this process serves: checks, the admin API, or both",
    why: "One process is the smallest installation",
  }),
  database: setting({
    type: filePath,
    default: "./data/keyward.db",
    change: "restart",
    what: "The SQLite file that holds the keys",
    why: "A relative path starts from the working directory",
  }),
  single_key: setting({
    type: truth,
    default: "false",
    change: "restart",
    what: "Serves checks of one key that has every scope and is kept in memory: no database, no admin API",
    why: "Enough for a trial or one caller; `KEYWARD_SINGLE_KEY` holds the key itself",
    variable: "none",
  }),
  "listen.authz": setting({
    type: address,
    default: "127.0.0.1:9000",
    change: "restart",
    what: "Where Envoy asks (gRPC)",
    why: "A sidecar is asked from its own host; elsewhere without TLS it is allowed, with a warning",
  }),
  "listen.forward_auth": setting({
    type: address,
    default: "127.0.0.1:8000",
    change: "restart",
    what: "Where nginx, Traefik, Caddy, HAProxy and Envoy's HTTP flavour ask (HTTP)",
    why: "As `listen.authz`; `off` where Envoy asks over gRPC only",
  }),
  "listen.admin": setting({
    type: address,
    default: "127.0.0.1:7070",
    change: "restart",
    what: "Where the admin API is served",
    why: "Beyond this machine only with TLS or `insecure_admin`, since admin keys would cross the network unencrypted",
  }),
  "listen.admin_local": setting({
    type: unixAddress,
    default: `unix:${DATABASE_PLACEHOLDER}.admin.sock`,
    change: "restart",
    what: "The socket on which the admin API needs no key",
    why: "Whoever may open the socket may open the database beside it",
  }),
  "listen.ops": setting({
    type: address,
    default: "127.0.0.1:9464",
    change: "restart",
    what: "Where health and metrics are served (HTTP)",
    why: "Beyond this machine without TLS it is allowed, with a warning",
  }),
  "tls.authz.cert": certificateFile("authz"),
  "tls.authz.key": certificateKeyFile("authz"),
  "tls.authz.client_ca": clientAuthorityFile("authz"),
  "tls.forward_auth.cert": certificateFile("forward_auth"),
  "tls.forward_auth.key": certificateKeyFile("forward_auth"),
  "tls.forward_auth.client_ca": clientAuthorityFile("forward_auth"),
  "tls.admin.cert": certificateFile("admin"),
  "tls.admin.key": certificateKeyFile("admin"),
  "tls.admin.client_ca": clientAuthorityFile("admin"),
  "tls.ops.cert": certificateFile("ops"),
  "tls.ops.key": certificateKeyFile("ops"),
  "tls.ops.client_ca": clientAuthorityFile("ops"),
  insecure_admin: setting({
    type: truth,
    default: "false",
    change: "restart",
    what: "Lets `listen.admin` be reachable from other machines without TLS",
    why: "Such exposure has to be asked for",
  }),
  check_threads: setting({
    type: integer(1, 64),
    default: "1",
    change: "restart",
    what: "How many threads answer checks",
    why: "Each has a cache of its own, so that more of them cost memory",
  }),
  transport: setting({
    type: oneOf("h2", "grpc-js"),
    default: "h2",
    change: "restart",
    what: "Who speaks HTTP/2 on `listen.authz`: Keyward's own engine, or `@grpc/grpc-js`",
    why: "The engine takes a fraction of the CPU; the other is a way back for a client that it does not get on with",
  }),
  max_connection_age: setting({
    type: connectionAge,
    default: "never",
    change: "restart",
    what: "How old a connection to `listen.authz` becomes, give or take a tenth; then its peer is asked to open another, and no check is lost. Needs `transport: h2`",
    why: "A sidecar's proxy gains nothing by it; behind a balancer of connections it is how new instances get their share",
  }),
  default_access: setting({
    type: oneOf<Access>("deny", "authenticated", "public"),
    default: undefined,
    change: "reload",
    what: "What a request needs that no route matches; unset: `deny` with routes, `authenticated` without",
    why: "A forgotten route must not be an open one",
  }),
  "client_address.trusted_hops": setting({
    type: integer(0, 16),
    default: "0",
    change: "reload",
    what: "How many proxies stand in front of Envoy: 0 takes the connection's own address, N the (N+1)th from the right of `x-forwarded-for`",
    why: "Needs `use_remote_address: true` in Envoy, which then appends its peer; without it the count reaches into the client's own words",
  }),
  "key_lifetime.default": setting({
    type: lifetime,
    default: "never",
    change: "reload",
    what: "How long a new key lives for which nothing is said",
    why: "Whoever makes keys knows best; with a `key_lifetime.max`, `never` means that",
  }),
  "key_lifetime.max": setting({
    type: lifetime,
    default: "never",
    change: "reload",
    what: "How long a key may live at the most; more is refused",
    why: "No bound is the field's habit; one of 90d or 365d is good practice",
  }),
  "retention.ended_keys": setting({
    type: retention,
    default: "never",
    change: "reload",
    what: "How long a key is kept after it was revoked or has expired; then it is forgotten, with its usage. `never`: for ever",
    why: "A record of who had access is worth its space until you know that nobody asks",
  }),
  "retention.audit": setting({
    type: retention,
    default: "never",
    change: "reload",
    what: "How long events of the audit trail are kept; then they are removed, the oldest first. `never`: for ever",
    why: "How long a trail has to be kept is told by your rules, and what is gone does not come back",
  }),
  on_store_error: setting({
    type: oneOf("deny", "error"),
    default: "deny",
    change: "reload",
    what: "Whether a check that cannot be made is denied, or left to Envoy's `failure_mode_allow`",
    why: "Doubt means no",
  }),
  "stale.serve_for": setting({
    type: staleness,
    default: "30s",
    what: "How long what is known of keys is still served when nobody can tell any more whether it is up to date",
    why: "Enough for a disk that hangs or a program that restarts; this is the longest that a key opens which was revoked meanwhile",
    change: "reload",
  }),
  "stale.then": setting({
    type: oneOf("deny"),
    default: "deny",
    what: "What is done after that time",
    why: "There is no other word: without knowing, nothing may open",
    change: "restart",
  }),
  shutdown_delay: setting({
    type: duration(0, 10 * MINUTE),
    default: "5s",
    change: "reload",
    what: "How long checks go on being accepted after SIGTERM, while health already says no",
    why: "Clients need the time to notice",
  }),
  shutdown_timeout: setting({
    type: duration(SECOND, HOUR),
    default: "30s",
    change: "reload",
    what: "How long calls in progress may take to end after that",
    why: "A call that hangs must not keep the process alive",
  }),
  "log.level": setting({
    type: oneOf("trace", "debug", "info", "warn", "error"),
    default: "info",
    change: "reload",
    what: "The least severity that is logged",
    why: "Denials are logged at `info`, at most ten a second per check thread; what is let through only with `log.allowed`",
  }),
  "log.format": setting({
    type: oneOf("auto", "json", "pretty"),
    default: "auto",
    change: "restart",
    what: "How log lines look; `auto` is `pretty` on a terminal and `json` elsewhere",
    why: "People and machines read differently",
  }),
  "log.allowed": setting({
    type: oneOf("none", "sampled", "all"),
    default: "none",
    change: "reload",
    what: "Whether allowed checks are logged at `info` as well: `all`, or at most ten a second per check thread (`sampled`)",
    why: "One line a request is much; what cannot be written in time is left out and counted",
  }),
  "alerts.requests_per_hour": setting({
    type: integer(0, 1_000_000_000),
    default: "0",
    change: "reload",
    what: "An alert where a key is used more often than this in one hour of the clock; 0: never",
    why: "What is much depends on what you serve",
  }),
  "alerts.denials_per_minute": setting({
    type: integer(0, 1_000_000_000),
    default: "100",
    change: "reload",
    what: "An alert where requests that present one known key are denied more often than this in one minute of the clock; 0: never",
    why: "A key that is refused so often is misplaced, or tried out by somebody",
  }),
  "cache.max_keys": setting({
    type: integer(1, 10_000_000),
    default: "100000",
    change: "restart",
    what: "How many keys each check thread remembers",
    why: "Beyond it, the key that has been unused the longest is read from the database again",
  }),
  "cache.max_unknown": setting({
    type: integer(1, 1_000_000),
    default: "10000",
    change: "restart",
    what: "How many unknown keys each check thread remembers",
    why: "Strangers have a cache of their own, so that they cannot push out good keys",
  }),
  realm: setting({
    type: text("text", '1 to 64 letters, digits, spaces, ".", "_" or "-"', readRealm),
    default: "keyward",
    change: "reload",
    what: "The realm that `WWW-Authenticate` names",
    why: "Only characters that need no escaping there",
  }),
  www_authenticate: setting({
    type: oneOf("on", "off"),
    default: "on",
    change: "reload",
    what: "Whether a denial that another credential could mend carries `WWW-Authenticate`",
    why: "RFC 9110 asks for it; `off` keeps browsers from asking people for a password",
  }),
  expiry_warning: setting({
    type: duration(0, 365 * 24 * HOUR),
    default: "7d",
    change: "reload",
    what: "How long before a key's end its answers carry `Sunset` and `x-keyward-key-expires-in`",
    why: "Whoever uses the key learns of it in time; 0 says nothing",
  }),
  "identity_headers.key_id": identityHeader("key-id", "the key's id"),
  "identity_headers.owner": identityHeader("owner", "the key's owner"),
  "identity_headers.tenant": identityHeader("tenant", "the key's tenant"),
  "identity_headers.scopes": identityHeader("scopes", "the key's scopes, separated by spaces"),
  encryption_key_file: setting({
    type: filePath,
    default: undefined,
    change: "restart",
    what: "The file that holds the key with which signing keys are encrypted: 32 random bytes, as one line of base64 or hex; unset: no keys are signed",
    why: "The database file alone must not give away what signs keys; `KEYWARD_ENCRYPTION_KEY` takes the key itself",
  }),
  "jwt.issuer": setting({
    type: party,
    default: "keyward",
    change: "reload",
    what: "What signed keys name as their issuer (`iss`)",
    why: "Back ends that trust several issuers tell them apart by it; a URL is the habit",
  }),
  "jwt.audience": setting({
    type: party,
    default: "keyward",
    change: "reload",
    what: "For whom signed keys are meant (`aud`)",
    why: "A back end refuses a token that is meant for others; all that one Keyward guards are one audience",
  }),
  "rest.default_format": setting({
    type: oneOf("opaque", "jwt"),
    default: "opaque",
    change: "reload",
    what: "What a key is that is made through the REST façade without a `format`",
    why: "An opaque key is short and needs no encryption key; `jwt` is for clients that expect signed keys",
  }),
  "oidc.issuer": setting({
    type: issuerUrl,
    default: undefined,
    change: "reload",
    what: "Whose tokens (OpenID Connect) the admin API takes from those whom `admin_identities` knows by `claims`; unset: none",
    why: "People log in where they log in everywhere, and nobody hands out admin keys",
  }),
  "oidc.audience": setting({
    type: party,
    default: undefined,
    change: "reload",
    what: "For whom these tokens have to be meant (`aud`)",
    why: "A token for another program, which may be in wrong hands there, opens nothing here",
  }),
  "oidc.jwks_url": setting({
    type: issuerUrl,
    default: undefined,
    change: "reload",
    what: "Where the issuer's public keys are; unset: where its `/.well-known/openid-configuration` says",
    why: "Some issuers have no such page, or Keyward cannot reach it",
  }),
  "oidc.clock_tolerance": setting({
    type: duration(0, 5 * MINUTE),
    default: "30s",
    change: "reload",
    what: "How far the issuer's clock and ours may be apart where a token begins and ends",
    why: "Longer is a longer life for each token",
  }),
  write_admin_key: setting({
    type: filePath,
    default: undefined,
    change: "restart",
    what: "The file to which a first admin key is written when the database is created; unset: none is made",
    why: "Secrets are never logged",
  }),
} as const;

/** The name of a setting of one value, as it stands in the file: `listen.authz` is `authz` below `listen`. */
export type SettingKey = keyof typeof SETTINGS;

/** The names of all settings of one value, in the order of the documentation. */
export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

/** The value of each setting, by its name in the file. */
export type SettingValues = { readonly [Key in SettingKey]: ValueOf<(typeof SETTINGS)[Key]> };

type ValueOf<Row> = Row extends Setting<infer T, infer Default> ? (Default extends string ? T : T | undefined) : never;

/** The configuration in effect: plain data that can be handed to a thread. Holds the admin key, so it is never logged. */
export interface Settings {
  readonly mode: SettingValues["mode"];
  readonly database: string;
  /** Undefined: off. */
  readonly listen: {
    readonly authz: Address | undefined;
    readonly forwardAuth: Address | undefined;
    readonly admin: Address | undefined;
    readonly adminLocal: Extract<Address, { kind: "unix" }> | undefined;
    readonly ops: Address | undefined;
  };
  /** Of each listener that is to speak TLS, the files. */
  readonly tls: { readonly [Listener in TlsListener]?: TlsFiles };
  readonly insecureAdmin: boolean;
  readonly checkThreads: number;
  readonly transport: SettingValues["transport"];
  /** Undefined: as old as they like. */
  readonly maxConnectionAgeMs: number | undefined;
  readonly trustedHops: number;
  /** Undefined: never ends. */
  readonly keyLifetime: { readonly defaultMs: number | undefined; readonly maxMs: number | undefined };
  /** How long things are kept. Undefined: for ever. */
  readonly retention: { readonly endedKeysMs: number | undefined; readonly auditMs: number | undefined };
  readonly onStoreError: SettingValues["on_store_error"];
  readonly stale: { readonly serveForMs: number };
  readonly shutdownDelayMs: number;
  readonly shutdownTimeoutMs: number;
  readonly log: {
    readonly level: SettingValues["log.level"];
    readonly format: SettingValues["log.format"];
    readonly allowed: SettingValues["log.allowed"];
  };
  /** From how many on there is an alert; 0: never. */
  readonly alerts: { readonly requestsPerHour: number; readonly denialsPerMinute: number };
  readonly cache: { readonly maxKeys: number; readonly maxUnknown: number };
  readonly realm: string;
  readonly wwwAuthenticate: SettingValues["www_authenticate"];
  readonly expiryWarningMs: number;
  readonly identityHeaders: {
    readonly keyId: string;
    readonly owner: string;
    readonly tenant: string;
    readonly scopes: string;
  };
  /** The secret of the admin key that the operator chose. */
  readonly adminKey?: string;
  readonly writeAdminKey?: string;
  /** 32 bytes, with which signing keys are encrypted. */
  readonly encryptionKey?: Uint8Array;
  readonly jwt: { readonly issuer: string; readonly audience: string };
  /** What a key of the REST façade is where its client does not say it. */
  readonly rest: { readonly defaultFormat: SettingValues["rest.default_format"] };
  /** Set: no store is served, but one key. `digest` is its SHA-256 in hex; undefined: it is drawn at the start. */
  readonly singleKey?: { readonly digest: string | undefined };
  readonly policy: PolicyConfig;
  /** Whose tokens the admin API takes. */
  readonly oidc?:
    | {
        readonly issuer: string;
        readonly audience: string;
        /** Undefined: the issuer tells it. */
        readonly jwksUrl: string | undefined;
        readonly clockToleranceMs: number;
      }
    | undefined;
  /** Whom the admin API knows without an admin key; the first that fits counts. */
  readonly adminIdentities: readonly AdminIdentityConfig[];
  /** What is said of tenants, by their names; of one that is not here, nothing is. */
  readonly tenants: ReadonlyMap<string, TenantConfig>;
  /** Where a key may be presented. */
  readonly credentials: readonly CredentialSource[];
}

/** The row of a setting, for those who do not care about its type. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return SETTINGS[key];
}

/** The flag of a setting, without the dashes in front: `listen-admin-local`. */
export function flagOf(key: string): string {
  return key.replaceAll(/[._]/g, "-");
}

/** The name of an environment variable: `KEYWARD_LISTEN_ADMIN_LOCAL`. */
export function variableOf(key: string): string {
  return `KEYWARD_${key.replaceAll(".", "_").toUpperCase()}`;
}

/** The environment variable that says what a setting is; undefined where none does. */
export function settingVariableOf(key: SettingKey): string | undefined {
  return settingOf(key).variable === "none" ? undefined : variableOf(key);
}

function setting<T, Default extends string | undefined>(row: Setting<T, Default>): Setting<T, Default> {
  return row;
}

function identityHeader(name: string, meaning: string): Setting<string, string> {
  return {
    type: headerName,
    default: `x-keyward-${name}`,
    change: "reload",
    what: `The header that tells the back end ${meaning}`,
    why: "The four must differ, also for those who read `_` and `.` as `-`",
  };
}

function certificateFile(listener: TlsListener): Setting<string, undefined> {
  return setting({
    type: filePath,
    default: undefined,
    change: "restart",
    what: `The certificate with which \`listen.${listener}\` speaks TLS, and those that lead to its authority (PEM); unset: no TLS`,
    why: "A file that is renewed is taken over without a restart",
  });
}

function certificateKeyFile(listener: TlsListener): Setting<string, undefined> {
  return setting({
    type: filePath,
    default: undefined,
    change: "restart",
    what: `The private key of \`tls.${listener}.cert\` (PEM, without a passphrase)`,
    why: "It is read together with its certificate",
  });
}

function clientAuthorityFile(listener: TlsListener): Setting<string, undefined> {
  return setting({
    type: filePath,
    default: undefined,
    change: "restart",
    what: `The authorities of which a client of \`listen.${listener}\` must have a certificate (PEM); unset: none is asked for`,
    why: "Who has no such certificate is refused before anything is read",
  });
}

function readRealm(realm: string): Reading<string> {
  if (/^[A-Za-z0-9 ._-]{1,64}$/.test(realm)) return { value: realm };
  return { problem: 'must be 1 to 64 letters, digits, spaces, ".", "_" or "-"' };
}

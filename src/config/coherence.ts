import { resolve } from "node:path";
import { type Address, isLocal } from "./address.ts";
import { commonSpelling } from "./header-name.ts";
import { nameAt, type Origin } from "./origin.ts";
import { show } from "./reading.ts";
import { type SettingKey, type SettingValues, settingOf } from "./settings.ts";
import { judgeSingleKey, servedMode } from "./single-key.ts";
import { judgeTls, tlsFilesIn } from "./tls.ts";

/** What settings mean for each other: problems stop the program, warnings are told to the operator. */
interface Coherence {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type Listener = Extract<SettingKey, `listen.${string}`>;

/** The listeners that each mode starts. The others are not judged: one file may serve two processes. */
const STARTED: { readonly [Mode in SettingValues["mode"]]: readonly Listener[] } = {
  all: ["listen.authz", "listen.forward_auth", "listen.admin", "listen.admin_local", "listen.ops"],
  authz: ["listen.authz", "listen.forward_auth", "listen.ops"],
  admin: ["listen.admin", "listen.admin_local", "listen.ops"],
};

const IDENTITY_HEADERS = [
  "identity_headers.key_id",
  "identity_headers.owner",
  "identity_headers.tenant",
  "identity_headers.scopes",
] as const;

/** Judges what no setting can say alone; each is within its own bounds already. Paths of sockets start from `cwd`. `adminKey` is where the operator's came from. */
export function judgeCoherence(
  values: SettingValues,
  originOf: (key: SettingKey) => Origin,
  adminKey: Origin | undefined,
  cwd: string,
): Coherence {
  const describe = (key: SettingKey): string =>
    `${nameAt(key, originOf(key))} ${show(settingOf(key).type.write(values[key]))}`;
  const started = STARTED[servedMode(values)].flatMap((key) => {
    const address: Address | undefined = values[key];
    return address === undefined ? [] : [{ key, address }];
  });
  const problems = judgeSingleKey(values, adminKey, describe);

  if (started.every(({ key }) => key === "listen.ops")) {
    problems.push(
      `${describe(values.single_key ? "single_key" : "mode")} needs a listener, but all that it could serve are off`,
    );
  }
  const tls = judgeTls(
    values,
    started.map(({ key }) => key),
    describe,
    cwd,
  );
  problems.push(...tls.problems);
  const encrypted = new Set(Object.keys(tlsFilesIn(values)).map((listener) => `listen.${listener}`));
  const exposed = started.filter(({ key, address }) => !isLocal(address) && !encrypted.has(key)).map(({ key }) => key);
  if (exposed.includes("listen.admin") && !values.insecure_admin) {
    problems.push(
      `${describe("listen.admin")} must be an address of this machine only, since admin keys would cross the network ` +
        "unencrypted (tls.admin encrypts them; insecure_admin or --insecure-admin allows it without)",
    );
  }
  for (const [one, other] of pairsOf(started)) {
    if (collide(one.address, other.address, cwd)) {
      problems.push(`${describe(other.key)} is taken by ${describe(one.key)}`);
    }
  }
  for (const [one, other] of pairsOf(IDENTITY_HEADERS)) {
    if (commonSpelling(values[one]) === commonSpelling(values[other])) {
      problems.push(`${describe(other)} must differ from ${describe(one)}, also where "_" and "." are read as "-"`);
    }
  }
  if (values["oidc.issuer"] !== undefined && values["oidc.audience"] === undefined) {
    problems.push(`${describe("oidc.issuer")} needs oidc.audience beside it: tokens for others must open nothing here`);
  }
  const [life, longest] = [values["key_lifetime.default"], values["key_lifetime.max"]];
  if (longest !== undefined && life !== undefined && life > longest) {
    problems.push(`${describe("key_lifetime.default")} must be no longer than ${describe("key_lifetime.max")}`);
  }
  if (values.max_connection_age !== undefined && values.transport !== "h2") {
    problems.push(
      `${describe("max_connection_age")} needs transport: h2, since grpc-js loses checks as it ends a connection`,
    );
  }
  const unencrypted = exposed.map((key) => `${describe(key)} is reachable from other machines without TLS`);
  return { problems, warnings: [...unencrypted, ...tls.warnings] };
}

/** Each two of a list, the earlier first. */
function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((one, index) => items.slice(index + 1).map((other): [T, T] => [one, other]));
}

/** Whether two listeners would want the same socket. A wildcard address takes the port on every address. */
function collide(one: Address, other: Address, cwd: string): boolean {
  if (one.kind === "unix" && other.kind === "unix") return resolve(cwd, one.path) === resolve(cwd, other.path);
  if (one.kind !== "tcp" || other.kind !== "tcp" || one.port !== other.port || one.port === 0) return false;
  return one.host.toLowerCase() === other.host.toLowerCase() || isWildcard(one.host) || isWildcard(other.host);
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

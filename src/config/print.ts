import { Document, Scalar } from "yaml";
import type { RouteConfig } from "../policy/config.ts";
import { formatDuration } from "./duration.ts";
import type { LoadedSettings } from "./load.ts";
import { DEFAULT_ORIGIN, formatOrigin } from "./origin.ts";
import { SETTING_KEYS, settingOf } from "./settings.ts";
import type { Structures } from "./structures.ts";

/** What is never printed, by its name and by where its origin stands. */
const SECRETS = [
  ["admin_key", "admin_key"],
  ["encryption_key", "encryption_key"],
  ["the key of single_key", "single_key_secret"],
] as const;

/**
 * Writes the configuration in effect as YAML that gives the same settings when it is read again. Each value has its
 * origin beside it. What a file cannot say stands in comments: settings that are unset, and secrets, redacted.
 */
export function printSettings({ settings, values, origins }: LoadedSettings): string {
  const document = new Document({});
  const unsaid: string[] = [];
  for (const key of SETTING_KEYS) {
    const value = values[key];
    if (value === undefined && settingOf(key).default === undefined) {
      unsaid.push(` ${key}: unset`);
    } else {
      const scalar = new Scalar(settingOf(key).type.write(value));
      scalar.comment = ` ${formatOrigin(origins.get(key) ?? DEFAULT_ORIGIN)}`;
      document.setIn(key.split("."), scalar);
    }
  }
  const { scopes } = settings.policy;
  const routes = settings.policy.routes.map(asWritten);
  const tenants = settings.tenants.size === 0 ? undefined : settings.tenants;
  const admin_identities = settings.adminIdentities.length === 0 ? undefined : settings.adminIdentities;
  const structures = { credentials: settings.credentials, routes, scopes, tenants, admin_identities };
  for (const [key, structure] of Object.entries(structures)) {
    if (structure === undefined) continue;
    const node = document.createNode(structure);
    node.comment = ` ${formatOrigin(origins.get(key as keyof Structures) ?? DEFAULT_ORIGIN)}`;
    document.set(key, node);
  }
  for (const [name, key] of SECRETS) {
    const origin = origins.get(key);
    unsaid.push(` ${name}: ${origin === undefined ? "unset" : `<redacted> (${formatOrigin(origin)})`}`);
  }
  document.comment = unsaid.join("\n");
  return document.toString({ lineWidth: 0 });
}

/** Durations with their unit: a bare number is one of seconds. */
function asWritten({ stale, ...route }: RouteConfig): object {
  return stale === undefined ? route : { ...route, stale: { ...stale, serve_for: formatDuration(stale.serve_for) } };
}

import { Document, Scalar } from "yaml";
import type { LoadedSettings } from "./load.ts";
import { DEFAULT_ORIGIN, formatOrigin } from "./origin.ts";
import { SETTING_KEYS, settingOf } from "./settings.ts";
import type { Structures } from "./structures.ts";

/**
 * Writes the configuration in effect as YAML that gives the same settings when it is read again. Each value has its
 * origin beside it. What a file cannot say stands in comments: settings that are unset, and the admin key, redacted.
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
  const { routes, scopes } = settings.policy;
  for (const [key, structure] of Object.entries({ credentials: settings.credentials, routes, scopes })) {
    if (structure === undefined) continue;
    const node = document.createNode(structure);
    node.comment = ` ${formatOrigin(origins.get(key as keyof Structures) ?? DEFAULT_ORIGIN)}`;
    document.set(key, node);
  }
  const adminKeyOrigin = origins.get("admin_key");
  unsaid.push(` admin_key: ${adminKeyOrigin === undefined ? "unset" : `<redacted> (${formatOrigin(adminKeyOrigin)})`}`);
  document.comment = unsaid.join("\n");
  return document.toString({ lineWidth: 0 });
}

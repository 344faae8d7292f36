import { createHash } from "node:crypto";
import type { Actor } from "../../../src/store/audit.ts";
import type { NewKey } from "../../../src/store/keys.ts";

export const local: Actor = { name: "local", source: "local" };

/** The digest of a sample's secret. */
export function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

/** A key that differs from that of any other name in id, start and digest. */
export function sampleKey(name: string, more: Partial<NewKey> = {}): NewKey {
  const digest = digestOf(name);
  const start = `kw_${digest.slice(0, 8)}`;
  const lists = { scopes: [], inheritsScopes: false, paths: [], methods: [], cidrs: [] };
  return { id: `key_${name}`, digest, start, name, note: "", metadata: {}, ...lists, ...more };
}

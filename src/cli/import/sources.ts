import type { Source } from "./source.ts";
import { apisix } from "./sources/apisix.ts";
import { betterAuth } from "./sources/better-auth.ts";
import { kong } from "./sources/kong.ts";
import { authorino, envoyGateway } from "./sources/secrets.ts";
import { hashTable, plaintextTable } from "./sources/table.ts";
import { unkey } from "./sources/unkey.ts";

/** From where keys can be imported, by the name that `--from` takes. */
export const SOURCES: Readonly<Record<string, Source>> = {
  unkey,
  "better-auth": betterAuth,
  kong,
  apisix,
  envoy: envoyGateway,
  authorino,
  "sha256-hex": hashTable,
  plaintext: plaintextTable,
};

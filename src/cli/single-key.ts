import { newSecret } from "../admin/keys/new-secret.ts";
import type { CredentialSource } from "../check/credential.ts";
import type { LoadedSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { DEFAULT_PREFIX } from "../key/secret.ts";

/** Where deploy/envoy/envoy.yaml listens; a test compares them. */
const ENVOY_URL = "http://127.0.0.1:8080/";

/** Settings that can be served, and what is then told on stdout: nothing, or how to use the single key. */
interface Prepared {
  readonly settings: Settings;
  readonly announcement: string;
}

/**
 * Draws the key of `single_key` where none was given. From here on the secret stands in the announcement only: what is
 * served gets its digest.
 */
export function prepareSingleKey({ settings, origins }: LoadedSettings, nowMs: number): Prepared {
  const { singleKey, credentials } = settings;
  if (singleKey === undefined) return { settings, announcement: "" };
  const origin = origins.get("single_key_secret");
  if (origin?.kind === "env") {
    const secret = origin.name.endsWith("_FILE") ? `$(cat "$${origin.name}")` : `$${origin.name}`;
    return { settings, announcement: `${tryIt(secret, credentials)}\n` };
  }
  const { secret, digest } = newSecret("key", DEFAULT_PREFIX, nowMs);
  const shown = `The only key, for as long as this program runs:\n\n  ${secret}\n\n`;
  return { settings: { ...settings, singleKey: { digest } }, announcement: `${shown}${tryIt(secret, credentials)}\n` };
}

/** `secret` is a secret, or what a shell puts one in the place of. */
function tryIt(secret: string, credentials: readonly CredentialSource[]): string {
  const source = credentials.find(({ from }) => from === "bearer") ?? credentials[0];
  const presented = source === undefined ? quoted("", ENVOY_URL) : present(secret, source);
  return `Through an Envoy with deploy/envoy/envoy.yaml:\n\n  curl -i ${presented}\n`;
}

/** The arguments with which curl presents a secret to the Envoy. */
function present(secret: string, source: CredentialSource): string {
  switch (source.from) {
    case "bearer":
      return `-H ${quoted("authorization: Bearer ", secret)} ${ENVOY_URL}`;
    case "scheme":
      return `-H ${quoted(`authorization: ${source.name} `, secret)} ${ENVOY_URL}`;
    case "header":
      return `-H ${quoted(`${source.name}: `, secret)} ${ENVOY_URL}`;
    case "basic":
      return `-u ${quoted(`${source.username === "*" ? "keyward" : source.username}:`, secret)} ${ENVOY_URL}`;
    case "query":
      return quoted(`${ENVOY_URL}?${encodeURIComponent(source.name)}=`, secret);
    case "cookie":
      return `-b ${quoted(`${source.name}=`, secret)} ${ENVOY_URL}`;
  }
}

/** One word of a shell's line: a text as it is, and the secret behind it. */
function quoted(text: string, secret: string): string {
  return `"${text.replaceAll(/[\\"$`]/g, "\\$&")}${secret}"`;
}

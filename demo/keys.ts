import type { Keyward } from "./keyward.ts";

/** A key of the demo. */
export interface DemoKey {
  /** Never secret; this is what the upstream is told. */
  id: string;
  /** The first characters of the secret: enough to name the key in a command. */
  start: string;
  secret: string;
}

export type DemoKeys = Awaited<ReturnType<typeof createKeys>>;

const prefix = "kw_";
/** How many characters of the secret's random part may be shown. */
const SHOWN_CHARS = 8;

/** Creates the demo's keys with the command line, as an operator would. */
export async function createKeys({ cli }: Pick<Keyward, "cli">) {
  const create = async (name: string, ...settings: string[]): Promise<DemoKey> => {
    const secret = await cli("keys", "create", "--name", name, ...settings, "-q");
    const start = secret.slice(0, prefix.length + SHOWN_CHARS);
    return { secret, start, id: await cli("keys", "get", start, "-q") };
  };
  return {
    reader: await create("reader", "--owner", "service/ci", "--scopes", "api:read", "--path", "/v1"),
    exact: await create("status page", "--scopes", "api:read", "--path", "=/v1/status"),
    brief: await create("gone in a second", "--scopes", "api:read", "--expires-in", "1"),
    leaver: await create("left the company", "--scopes", "api:read"),
  };
}

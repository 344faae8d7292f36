import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "./exit.ts";

/** What may be given to show who calls, and whom to trust. */
export interface CredentialFlags {
  readonly adminKeyFile?: string;
  readonly adminCa?: string;
  readonly adminCert?: string;
  readonly adminCertKey?: string;
}

/** The files of an https connection, as Node takes them. */
export interface ClientTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** What is read of a flag, or of the variable that stands for it. */
const FILES = {
  ca: { flag: "--admin-ca", variable: "KEYWARD_ADMIN_CA" },
  cert: { flag: "--admin-cert", variable: "KEYWARD_ADMIN_CERT" },
  key: { flag: "--admin-cert-key", variable: "KEYWARD_ADMIN_CERT_KEY" },
} as const;

/** Reads the authorities to trust, and the certificate to show with its key. Throws UsageError where one cannot be read. */
export function clientTls({ adminCa, adminCert, adminCertKey }: CredentialFlags): ClientTls {
  const ca = readGiven("ca", adminCa);
  const cert = readGiven("cert", adminCert);
  const key = readGiven("key", adminCertKey);
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? [FILES.key, FILES.cert] : [FILES.cert, FILES.key];
    throw new UsageError(`${given.flag} needs ${missing.flag} beside it`);
  }
  return { ...(ca && { ca }), ...(cert && key && { cert, key }) };
}

function readGiven(which: keyof typeof FILES, given: string | undefined): Buffer | undefined {
  const { flag, variable } = FILES[which];
  const path = given ?? (process.env[variable] || undefined);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(
      `${given === undefined ? variable : flag}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

/**
 * The admin key or token to present: a flag wins over the environment. Without either, a client certificate shows who calls,
 * and where there is none the key of `~/.config/keyward/credentials` is taken.
 */
export function bearer({ adminKeyFile }: CredentialFlags, hasCertificate: boolean): string | undefined {
  if (adminKeyFile !== undefined) return readSecretOf(adminKeyFile, KEY);
  const { KEYWARD_ADMIN_KEY: key, KEYWARD_ADMIN_KEY_FILE: keyFile } = process.env;
  const { KEYWARD_ADMIN_TOKEN: token, KEYWARD_ADMIN_TOKEN_FILE: tokenFile } = process.env;
  if ((key || keyFile) && (token || tokenFile)) {
    throw new UsageError("KEYWARD_ADMIN_KEY and KEYWARD_ADMIN_TOKEN, or their files, must not both be set");
  }
  if (token) return accept(token, "KEYWARD_ADMIN_TOKEN", TOKEN);
  if (tokenFile) return readSecretOf(tokenFile, TOKEN);
  if (key) return accept(key, "KEYWARD_ADMIN_KEY", KEY);
  if (keyFile) return readSecretOf(keyFile, KEY);
  return hasCertificate ? undefined : readSecretOf(join(homedir(), ".config", "keyward", "credentials"), KEY);
}

/** What is looked for, and what to do where it is not found. */
const KEY = { name: "admin key", hint: "give --admin-key-file or set KEYWARD_ADMIN_KEY" };
const TOKEN = { name: "token", hint: "KEYWARD_ADMIN_TOKEN_FILE has to name a file that holds one" };

function readSecretOf(path: string, what: typeof KEY): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`no ${what.name}: ${path} cannot be read (${code}); ${what.hint}`);
  }
  return accept(text, path, what);
}

/** What a header cannot carry would be refused in words that repeat it, and it may hold a secret. */
function accept(text: string, place: string, { name }: typeof KEY): string {
  const secret = text.trim();
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new UsageError(`no ${name}: ${place} must hold one, and nothing else`);
  return secret;
}

import { existsSync, readFileSync } from "node:fs";
import { holdsSecret } from "../../src/key/secret.ts";

/** Whatever has the form of a key, also a mistyped one, or of a token that is signed. Nothing else that is written has. */
const FORMS = [/[a-z0-9]_[0-9A-Za-z]{49}/, /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/];

/**
 * Throws where a text holds a secret. Every program that a test starts is searched in this way when it ends, so that a
 * whole run shows whether any of them ever told one.
 */
export function refuseSecrets(where: string, text: string): void {
  for (const form of FORMS) {
    const found = form.exec(text);
    if (found === null) continue;
    const around = text.slice(Math.max(0, found.index - 100), found.index + 12);
    throw new Error(`${where} holds a secret: …${around}…`);
  }
}

/**
 * The same for a database, and what SQLite keeps beside it. There texts stand side by side with nothing between them, so
 * that only the checksum tells a secret.
 */
export function refuseSecretsInDatabase(path: string): void {
  for (const file of [path, `${path}-wal`]) {
    if (existsSync(file) && holdsSecret(readFileSync(file, "latin1"))) throw new Error(`${file} holds a secret`);
  }
}

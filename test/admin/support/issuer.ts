import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";

/** An issuer of tokens, as OpenID Connect has them, on loopback. */
export interface Issuer {
  readonly url: string;
  /** What is in effect: the ids of the keys that are published, and how the issuer answers. */
  published: string[];
  answer: (path: string) => { status?: number; body?: string } | undefined;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  /** Makes a key, which is published from now on. */
  addKey(kid: string, alg?: string): Promise<void>;
  /** Signs a token that is good unless something else is said of it; null takes a claim away. */
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  stop(): Promise<void>;
}

/** For whom the tokens are. */
export const AUDIENCE = "keyward-admin";

/** Starts an issuer with one key, "k1". */
export async function startIssuer(): Promise<Issuer> {
  const keys = new Map<string, { alg: string; privateKey: CryptoKey; jwk: object }>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    issuer.asked.set(path, (issuer.asked.get(path) ?? 0) + 1);
    const { status = 200, body = bodyOf(path) } = issuer.answer(path) ?? {};
    response.writeHead(body === undefined ? 404 : status, { "content-type": "application/json" }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bodyOf = (path: string): string | undefined => {
    const jwks = { keys: issuer.published.map((kid) => keys.get(kid)?.jwk) };
    if (path === "/keys") return JSON.stringify(jwks);
    if (path !== "/.well-known/openid-configuration") return undefined;
    return JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` });
  };
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    published: [],
    answer: () => undefined,
    asked: new Map(),
    async addKey(kid, alg = "ES256") {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      keys.set(kid, { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } });
      issuer.published.push(kid);
    },
    async token(claims = {}, header = {}) {
      const kid = String(header.kid ?? "k1");
      const { alg, privateKey } = keys.get(kid) ?? keys.get("k1") ?? {};
      if (alg === undefined || privateKey === undefined) throw new Error(`there is no key ${kid}`);
      const nowS = Math.floor(Date.now() / 1000);
      const good: Record<string, unknown> = {
        iss: issuer.url,
        aud: AUDIENCE,
        sub: "alice",
        iat: nowS,
        exp: nowS + 300,
      };
      const payload = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== null));
      return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
    },
    async stop() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
  await issuer.addKey("k1");
  return issuer;
}

import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createTokenVerifier } from "../../src/admin/login/token-verifier.ts";
import { AUDIENCE, startIssuer } from "./support/issuer.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A verifier with an issuer of its own, at a time that only moves when it is told. */
async function verifierForThisTest() {
  const issuer = await startIssuer();
  onTestFinished(() => issuer.stop());
  vi.useFakeTimers({ toFake: ["Date"] });
  const verify = createTokenVerifier({
    issuer: issuer.url,
    audience: AUDIENCE,
    jwksUrl: undefined,
    clockToleranceMs: 0,
  });
  const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
  return { issuer, verify, pass };
}

const GOOD = { payload: { sub: "alice" } };

test("a key that is new is fetched once the last fetch is half a minute old", async () => {
  const { issuer, verify, pass } = await verifierForThisTest();
  expect(await verify(await issuer.token())).toMatchObject(GOOD);
  await issuer.addKey("k2");
  const token = await issuer.token({}, { kid: "k2" });
  expect(await verify(token)).toEqual({ refused: "ERR_JWKS_NO_MATCHING_KEY" });
  pass(29_000);
  expect(await verify(token)).toEqual({ refused: "ERR_JWKS_NO_MATCHING_KEY" });
  pass(1_000);
  expect(await verify(token)).toMatchObject(GOOD);
});

test("a key that was withdrawn opens for ten minutes at the most", async () => {
  const { issuer, verify, pass } = await verifierForThisTest();
  await issuer.addKey("k2");
  const token = () => issuer.token();
  expect(await verify(await token())).toMatchObject(GOOD);
  issuer.published = ["k2"];
  pass(599_000);
  expect(await verify(await token())).toMatchObject(GOOD);
  pass(1_000);
  expect(await verify(await token())).toEqual({ refused: "ERR_JWKS_NO_MATCHING_KEY" });
});

test.each(["RS256", "PS512", "ES384", "EdDSA"])("a key for %s is taken", async (alg) => {
  const { issuer, verify } = await verifierForThisTest();
  await issuer.addKey("k2", alg);
  expect(await verify(await issuer.token({}, { kid: "k2", alg }))).toMatchObject(GOOD);
});

test("a key is taken for the algorithm only that it is published for", async () => {
  const { issuer, verify } = await verifierForThisTest();
  await issuer.addKey("k2", "RS256");
  const [header, ...rest] = (await issuer.token({}, { kid: "k2" })).split(".");
  const other = Buffer.from(String(header), "base64url").toString().replace("RS256", "PS256");
  const token = [Buffer.from(other).toString("base64url"), ...rest].join(".");
  expect(await verify(token)).toEqual({ refused: "ERR_JWKS_NO_MATCHING_KEY" });
});

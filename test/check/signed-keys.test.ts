import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { CredentialSource } from "../../src/check/credential.ts";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { MAX_TOKEN_LENGTH } from "../../src/key/token.ts";
import { type Described, describeRequest, type HeaderList } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf, tokenOf } from "../support/sample-keys.ts";
import { headersOf, reasonOf, verdictOf } from "../support/verdict.ts";

const TOKEN = tokenOf("a");
const OTHER = tokenOf("b");
const FOREIGN = tokenOf("a", { alg: "RS256", kid: "1", typ: "JWT" });
const OPAQUE = secretOf("a");

const credentials: readonly CredentialSource[] = [
  { from: "bearer" },
  { from: "scheme", name: "apikey" },
  { from: "header", name: "x-api-key" },
  { from: "basic", username: "keyward" },
  { from: "query", name: "api_key" },
  { from: "cookie", name: "api_key" },
];

const check = createSampleCheck({
  credentials,
  policy: policyOf(
    [
      { path: "/open", access: "public" },
      { path: "/passed/on", access: "authenticated", forward_credential: true },
      { path: "/passed/on/closely", scopes: ["a:read"], forward_credential: true },
      { path: "/kept", access: "authenticated", forward_credential: false },
    ],
    "authenticated",
  ),
  store: storeOf({ [TOKEN]: recordOf({ id: "key_1", signed: true }), [OPAQUE]: recordOf({ id: "key_2" }) }),
});

const basic = (password: string): HeaderList[number] => ["authorization", `Basic ${btoa(`keyward:${password}`)}`];

/** What Envoy is told to do with what may carry a credential. */
const nothing = { removed: [] as string[], parameters: [] as string[], cookie: undefined as string | undefined };
function told(answer: Uint8Array) {
  const verdict = verdictOf(answer);
  return {
    reason: verdict.metadata.reason,
    removed: verdict.removed.filter((name) => ["authorization", "x-api-key", "cookie"].includes(name)).toSorted(),
    parameters: verdict.removedParameters,
    cookie: verdict.answer === "ok" ? headersOf(verdict).cookie : undefined,
  };
}

/** A request that presents a text in one place, and what of that place is taken out. */
const places: [place: string, sent: (text: string) => Described, gone: Partial<typeof nothing>][] = [
  ["a bearer token", (text) => ({ headers: [["authorization", `Bearer ${text}`]] }), { removed: ["authorization"] }],
  ["a scheme", (text) => ({ headers: [["authorization", `ApiKey ${text}`]] }), { removed: ["authorization"] }],
  ["a header", (text) => ({ headers: [["x-api-key", text]] }), { removed: ["x-api-key"] }],
  ["Basic", (text) => ({ headers: [basic(text)] }), { removed: ["authorization"] }],
  ["a query", (text) => ({ path: `?a=1&api_key=${text}` }), { parameters: ["api_key"] }],
  [
    "a query with escaped dots",
    (text) => ({ path: `?api%5Fkey=${text.replaceAll(".", "%2E")}` }),
    { parameters: ["api%5Fkey"] },
  ],
  ["a cookie", (text) => ({ headers: [["cookie", `api_key=${text}`]] }), { removed: ["cookie"] }],
  ["one of several cookies", (text) => ({ headers: [["cookie", `a=1.2.3; api_key=${text}`]] }), { cookie: "a=1.2.3" }],
];

describe.each(["header_map", "headers"] as const)("with %s, a signed key", (form) => {
  const answerTo = (path: string, { path: query = "", ...described }: Described) =>
    told(check({ ...described, path: path + query, form }));

  test.each(places)("opens in %s, and does not reach the upstream", (_title, sent, gone) => {
    expect(answerTo("/", sent(TOKEN))).toEqual({ ...nothing, ...gone, reason: "allowed" });
    expect(answerTo("/kept", sent(TOKEN))).toEqual({ ...nothing, ...gone, reason: "allowed" });
  });

  test.each(places)("reaches the upstream in %s where the route passes it on", (_title, sent) => {
    expect(answerTo("/passed/on", sent(TOKEN))).toEqual({ ...nothing, reason: "allowed" });
  });

  test.each(places)("in %s: an opaque key does not reach it even there", (_title, sent, gone) => {
    expect(answerTo("/passed/on", sent(OPAQUE))).toEqual({ ...nothing, ...gone, reason: "allowed" });
  });

  test.each(places)("in %s: one with its last character changed is unknown", (_title, sent) => {
    const changed = `${TOKEN.slice(0, -1)}${TOKEN.endsWith("A") ? "B" : "A"}`;
    expect(answerTo("/", sent(changed))).toEqual({ ...nothing, reason: "unknown_key" });
    expect(answerTo("/passed/on", sent(changed))).toEqual({ ...nothing, reason: "unknown_key" });
  });

  test.each(places)("in %s: on a public route ours is taken out, and another's passes", (_title, sent, gone) => {
    expect(answerTo("/open", sent(TOKEN))).toEqual({ ...nothing, ...gone, reason: "public" });
    expect(answerTo("/open", sent(OTHER))).toEqual({ ...nothing, ...gone, reason: "public" });
    expect(answerTo("/open", sent(FOREIGN))).toEqual({ ...nothing, reason: "public" });
  });

  test("in two places is one key, and reaches the upstream in both or in none", () => {
    const described: Described = { path: `?api_key=${TOKEN}`, headers: [["authorization", `Bearer ${TOKEN}`]] };
    const gone = { ...nothing, removed: ["authorization"], parameters: ["api_key"] };
    expect(answerTo("/", described)).toEqual({ ...gone, reason: "allowed" });
    expect(answerTo("/passed/on", described)).toEqual({ ...nothing, reason: "allowed" });
  });

  test("beside an opaque one is ambiguous, also where the route would pass it on", () => {
    const described: Described = { path: `?api_key=${OPAQUE}`, headers: [["authorization", `Bearer ${TOKEN}`]] };
    expect(answerTo("/passed/on", described)).toEqual({ ...nothing, reason: "ambiguous_credential" });
  });
});

describe("a token is judged by its form and its digest, and by nothing that it says:", () => {
  const [header = "", payload = "", signature = ""] = TOKEN.split(".");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");

  test.each([
    ["the one that was made", TOKEN, "allowed"],
    ["another of ours", OTHER, "unknown_key"],
    ["another's", FOREIGN, "unknown_key"],
    ["one with a changed header", `${header}A.${payload}.${signature}`, "unknown_key"],
    ["one with a changed payload", `${header}.${payload}A.${signature}`, "unknown_key"],
    ["one with a changed signature", `${header}.${payload}.${signature}A`, "unknown_key"],
    ["one cut by a character", TOKEN.slice(0, -1), "unknown_key"],
    // The form asks for a signature, so one without any has not even the form of a key; with one, nobody made it.
    ["one without algorithm and signature", `${none}.${payload}.`, "malformed_credential"],
    ["one without algorithm, with a signature", `${none}.${payload}.${signature}`, "unknown_key"],
    ["one without its signature", `${header}.${payload}.`, "malformed_credential"],
    ["one without its last part", `${header}.${payload}`, "malformed_credential"],
    ["one with a part too much", `${TOKEN}.${signature}`, "malformed_credential"],
    ["one with padding", `${TOKEN}=`, "malformed_credential"],
    ["one in quotes", `"${TOKEN}"`, "malformed_credential"],
    ["one with a space in it", TOKEN.replace(".", ". "), "malformed_credential"],
    ["one as long as may be", `${TOKEN}${"a".repeat(MAX_TOKEN_LENGTH - TOKEN.length)}`, "unknown_key"],
    ["one character longer", `${TOKEN}${"a".repeat(MAX_TOKEN_LENGTH - TOKEN.length + 1)}`, "malformed_credential"],
    ["one of 64 KiB", `${TOKEN}${"a".repeat(65_536 - TOKEN.length)}`, "malformed_credential"],
  ])("%s: %3$s", (_title, text, reason) => {
    expect(reasonOf(check({ headers: [["authorization", `Bearer ${text}`]] }))).toBe(reason);
    expect(reasonOf(check({ path: "/passed/on", headers: [["x-api-key", text]] }))).toBe(reason);
  });

  test("its place beside a wrong user name does not open", () => {
    const [name, value] = basic(TOKEN);
    expect(reasonOf(check({ headers: [[name, value]] }))).toBe("allowed");
    expect(reasonOf(check({ headers: [[name, `Basic ${btoa(`keywarD:${TOKEN}`)}`]] }))).toBe("unknown_key");
  });

  test("a comma beside it is ambiguous", () => {
    expect(reasonOf(check({ headers: [["x-api-key", `${TOKEN},`]] }))).toBe("ambiguous_credential");
  });
});

test("a signed key that lacks a scope does not pass, though the route would pass it on", () => {
  const headers: HeaderList = [["authorization", `Bearer ${TOKEN}`]];
  expect(told(check({ path: "/passed/on/closely", headers }))).toEqual({ ...nothing, reason: "insufficient_scope" });
});

describe("where Envoy hides headers, and the route passes a signed key on,", () => {
  /** What Envoy sends where its `allowed_headers` name these only. */
  const showing = (names: readonly string[], described: Described) => {
    const request = fromBinary(CheckRequestSchema, describeRequest({ path: "/passed/on", ...described }));
    const map = request.attributes?.request?.http?.headerMap;
    if (map === undefined) throw new Error("the headers stand in header_map");
    map.headers = map.headers.filter(({ key }) => names.includes(key));
    return told(check(toBinary(CheckRequestSchema, create(CheckRequestSchema, request))));
  };

  test.each<[string, HeaderList, string[]]>([
    ["the header that holds it stays, and the hidden one goes", [["x-api-key", TOKEN]], ["authorization"]],
    ["the other stays, and the hidden one goes", [["authorization", `Bearer ${TOKEN}`]], ["x-api-key"]],
    ["both go with an opaque key", [["x-api-key", OPAQUE]], ["authorization", "x-api-key"]],
  ])("%s", (_title, headers, removed) => {
    const names = headers.map(([name]) => name);
    expect(showing(names, { headers })).toEqual({ ...nothing, removed, reason: "allowed" });
  });

  test("both headers go where it is in the query, which stays", () => {
    expect(showing([], { path: `/passed/on?api_key=${TOKEN}` })).toEqual({
      ...nothing,
      removed: ["authorization", "x-api-key"],
      reason: "allowed",
    });
  });
});

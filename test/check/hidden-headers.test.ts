import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { type Described, describeRequest, type HeaderList } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("reader");
const shownKey: HeaderList = [["x-api-key", KEY]];

const ports = {
  policy: policyOf([
    { path: "/public", access: "public" },
    { path: "/**", access: "authenticated" },
  ]),
  store: storeOf({ [KEY]: recordOf({ id: "key_reader", scopes: ["a"] }) }),
};
const check = createSampleCheck(ports);

/** What Envoy sends where its `allowed_headers` name these only. */
function showing(names: readonly string[], described: Described): Uint8Array {
  const request = fromBinary(CheckRequestSchema, describeRequest(described));
  const http = request.attributes?.request?.http;
  if (http === undefined) throw new Error("an HTTP request was described");
  http.headers = Object.fromEntries(Object.entries(http.headers).filter(([name]) => names.includes(name)));
  if (http.headerMap !== undefined) {
    http.headerMap.headers = http.headerMap.headers.filter(({ key }) => names.includes(key));
  }
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, request));
}

const HIDING = ["x-api-key"];
const NOT_HIDING = [":path", "x-api-key"];

const judged = (names: readonly string[], described: Described) => {
  const verdict = verdictOf(check(showing(names, described)));
  return { code: verdict.code, reason: verdict.metadata.reason };
};

const allowed = { code: 0, reason: "allowed" };
const ambiguous = { code: 7, reason: "ambiguous_path" };

describe("an exclamation mark, which Envoy writes for a byte that it cannot show,", () => {
  test.each<[string, string, readonly string[], Described["form"], object]>([
    ["is a letter where header_map repeats the path", "/v1/x!", NOT_HIDING, "header_map", allowed],
    ["is a doubt where header_map hides the path", "/v1/x!", HIDING, "header_map", ambiguous],
    ["is a doubt where headers repeat the path", "/v1/x!", NOT_HIDING, "headers", ambiguous],
    ["is a doubt where headers hide the path", "/v1/x!", HIDING, "headers", ambiguous],
    ["is a doubt where header_map holds nothing at all but the key", "/!", HIDING, "header_map", ambiguous],
    ["is what it is as an escape", "/v1/x%21", HIDING, "header_map", allowed],
    ["is what it is in a query", "/v1/x?!", HIDING, "header_map", allowed],
    ["is the only difference of a path that is let through", "/v1/x", HIDING, "header_map", allowed],
  ])("%s: %s", (_, path, names, form, expected) => {
    expect(judged(names, { path, headers: shownKey, ...(form && { form }) })).toEqual(expected);
  });

  test("is a doubt on a public route, too", () => {
    const reasons = ["/public", "/public!"].map((path) => judged(["accept"], { path }));
    expect(reasons).toEqual([{ code: 0, reason: "public" }, ambiguous]);
  });
});

/** Every way to join the words with `-`, `_` and `.`. */
function joined(...[word = "", ...words]: string[]): string[] {
  if (words.length === 0) return [word];
  return ["-", "_", "."].flatMap((separator) => joined(...words).map((rest) => word + separator + rest));
}

const SPELLINGS = [
  ...joined("x", "keyward", "key", "id"),
  ...["owner", "tenant", "scopes"].flatMap((name) => joined("x", "keyward", name)),
];
const UNDERSCORED = ["x_keyward_key_id", "x_keyward_owner", "x_keyward_tenant", "x_keyward_scopes"];
const CARRIERS = ["authorization", "x-api-key"];

const removed = (names: readonly string[], described: Described, by = check) =>
  verdictOf(by(showing(names, described))).removed.toSorted();

describe.each(["header_map", "headers"] as const)("what the upstream is not to see, with %s:", (form) => {
  test("where the path is hidden, every spelling that is not set, and every place of a key, each once", () => {
    const described: Described = { path: "/v1", headers: shownKey, form };
    expect(headersOf(verdictOf(check(showing(HIDING, described))))).toEqual({
      "x-keyward-key-id": "key_reader",
      "x-keyward-scopes": "a",
    });
    const set = ["x-keyward-key-id", "x-keyward-scopes"];
    const others = SPELLINGS.filter((spelling) => !set.includes(spelling));
    expect(others).toHaveLength(27 + 3 * 9 - 2);
    expect(removed(HIDING, described)).toEqual([...others, ...CARRIERS].toSorted());
  });

  test("where the path is shown, what was seen, and the names as they are written with underscores", () => {
    const described: Described = { path: "/v1", headers: [...shownKey, ["x.keyward.owner", "me"]], form };
    const absent = ["x-keyward-owner", "x-keyward-tenant"];
    const seen = ["x.keyward.owner", "x-api-key"];
    expect(removed([...NOT_HIDING, "x.keyward.owner"], described)).toEqual(
      [...UNDERSCORED, ...absent, ...seen].toSorted(),
    );
  });

  test("where the path is hidden on a public route, every spelling, but no credential that was not seen", () => {
    expect(removed(["accept"], { path: "/public", form })).toEqual(SPELLINGS.toSorted());
    expect(removed(HIDING, { path: "/public", headers: shownKey, form })).toEqual(
      [...SPELLINGS, "x-api-key"].toSorted(),
    );
  });
});

test("spellings are those of the names that are configured", () => {
  const identityHeaders = { keyId: "key", owner: "x-me", tenant: "a_b.c", scopes: "x.s" };
  const other = createSampleCheck({ ...ports, identityHeaders });
  const spellings = ["key", ...joined("x", "me"), ...joined("a", "b", "c"), ...joined("x", "s")];
  expect(removed(["accept"], { path: "/public" }, other)).toEqual(spellings.toSorted());
});

test("a denial removes nothing, since nothing goes on", () => {
  const verdict = verdictOf(check(showing(HIDING, { path: "/v1", headers: [["x-api-key", secretOf("nobody's")]] })));
  expect(verdict).toMatchObject({ code: 16, answer: "denied", removed: [] });
  expect(verdict.metadata.reason).toBe("unknown_key");
});

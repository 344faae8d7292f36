import { describe, expect, test } from "vitest";
import { deny } from "../../src/check/decide.ts";
import { createEncode, type EncodeSettings } from "../../src/check/encode.ts";
import { REASON_NAMES, REASONS, type Reason, type Refusal } from "../../src/check/reason.ts";
import { HeaderValueOption_HeaderAppendAction } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import { ruleOf } from "../support/policies.ts";
import { identityHeaders, sampleContext } from "../support/sample-check.ts";
import { recordOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const settings: EncodeSettings = {
  identityHeaders,
  realm: "api",
  wwwAuthenticate: "on",
  expiryWarningMs: 0,
  onStoreError: "deny",
};
const encode = createEncode(settings);
const nothing = { headers: [] };

const rule = ruleOf({ scopes: ["a:read", "b"], route: "/v1" });
const record = recordOf({ id: "key_1", owner: "user/a", scopes: ["a:*", "c", "d:*"] });
/** What is left of them by the owner. */
const scopes = ["c", "d:*"];

function denied(reason: Reason, encoded = encode(deny(reason), sampleContext, nothing, [])) {
  return verdictOf(encoded);
}

const bearer = (error: string, description: string) =>
  `Bearer realm="api", error="${error}", error_description="${description}"`;

const challenges: Record<string, string> = {
  no_credential: 'Bearer realm="api"',
  ambiguous_credential: bearer("invalid_request", "More than one API key was presented"),
  malformed_credential: bearer("invalid_token", "The API key is malformed (truncated, or mistyped)"),
  unknown_key: bearer("invalid_token", "The API key is not known"),
  key_revoked: bearer("invalid_token", "API key has been revoked"),
  key_disabled: bearer("invalid_token", "API key is disabled"),
  owner_disabled: bearer("invalid_token", "API key belongs to a disabled owner"),
  key_expired: bearer("invalid_token", "API key has expired"),
  key_not_yet_valid: bearer("invalid_token", "API key is not valid yet"),
  insufficient_scope: bearer("insufficient_scope", "API key does not have required permissions"),
};

describe.each(REASON_NAMES)("a denial for %s", (reason) => {
  const refusal: Refusal = REASONS[reason];
  const verdict = denied(reason);

  test("has the code that goes with its status", () => {
    expect(verdict).toMatchObject({ code: refusal.status === 401 ? 16 : 7, answer: "denied", status: refusal.status });
  });

  test("has its headers, and a challenge where another credential would help", () => {
    const challenge = challenges[reason];
    expect(headersOf(verdict)).toEqual({
      "content-type": "application/json",
      "x-keyward-decision-id": "d-1",
      "x-keyward-reason": reason,
      ...(challenge === undefined ? {} : { "www-authenticate": challenge }),
    });
  });

  test("replaces headers in both of the ways that Envoy reads", () => {
    const replace = HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD;
    const others = verdict.headers.filter(({ append, appendAction }) => append !== false || appendAction !== replace);
    expect(others).toEqual([]);
  });

  test("has a body that says what is wrong", () => {
    expect(JSON.parse(verdict.body)).toEqual({
      ...(refusal.error && { error: refusal.error }),
      error_description: refusal.description,
      decision_id: "d-1",
    });
  });

  test("publishes the decision as metadata", () => {
    expect(verdict.metadata).toEqual({ decision_id: "d-1", reason });
  });
});

test("a denial without an error names none in its body", () => {
  expect(denied("no_credential").body).toBe('{"error_description":"Not authenticated","decision_id":"d-1"}');
});

test("a denial of a known key names the key in metadata, and nowhere else", () => {
  const verdict = denied("key_revoked", encode(deny("key_revoked", rule, record, scopes), sampleContext, nothing, []));
  expect(verdict.metadata).toEqual({
    decision_id: "d-1",
    reason: "key_revoked",
    key_id: "key_1",
    owner: "user/a",
    scopes: ["c", "d:*"],
  });
  expect(JSON.stringify(headersOf(verdict)) + verdict.body).not.toContain("key_1");
});

describe("a denial for want of a scope", () => {
  test("names the scopes that are asked for and those that are there", () => {
    const verdict = denied(
      "insufficient_scope",
      encode(deny("insufficient_scope", rule, record, scopes), sampleContext, nothing, []),
    );
    expect(JSON.parse(verdict.body)).toEqual({
      error: "insufficient_scope",
      error_description: "API key does not have required permissions",
      decision_id: "d-1",
      required: ["a:read", "b"],
      provided: ["c", "d:*"],
    });
    expect(headersOf(verdict)["www-authenticate"]).toBe(`${challenges.insufficient_scope}, scope="a:read b"`);
  });

  test("names an empty list where the key has none", () => {
    const bare = encode(deny("insufficient_scope", rule, recordOf(), []), sampleContext, nothing, []);
    expect(JSON.parse(denied("insufficient_scope", bare).body)).toMatchObject({ provided: [] });
  });
});

describe("under on_store_error: error", () => {
  const erring = createEncode({ ...settings, onStoreError: "error" });

  test("a store that cannot answer is an error of code 14 with the body of the denial", () => {
    const verdict = verdictOf(erring(deny("store_unavailable"), sampleContext, nothing, []));
    expect(verdict).toMatchObject({
      code: 14,
      answer: "error",
      status: 503,
      body: denied("store_unavailable").body,
      metadata: { decision_id: "d-1", reason: "store_unavailable" },
    });
    expect(headersOf(verdict)).toEqual(headersOf(denied("store_unavailable")));
  });

  test.each(REASON_NAMES.filter((reason) => reason !== "store_unavailable"))("%s stays a denial", (reason) => {
    expect(erring(deny(reason), sampleContext, nothing, [])).toEqual(encode(deny(reason), sampleContext, nothing, []));
  });
});

describe("under www_authenticate: off", () => {
  const quiet = createEncode({ ...settings, wwwAuthenticate: "off" });

  test.each(REASON_NAMES)("%s carries no challenge, and is told as before in all else", (reason) => {
    const decision = deny(reason, rule, record, scopes);
    const { "www-authenticate": challenge, ...others } = headersOf(
      verdictOf(encode(decision, sampleContext, nothing, [])),
    );
    const verdict = verdictOf(quiet(decision, sampleContext, nothing, []));
    expect(challenge !== undefined).toBe(REASONS[reason].challenge);
    expect(headersOf(verdict)).toEqual(others);
    expect(verdict).toEqual({
      ...denied(reason, encode(decision, sampleContext, nothing, [])),
      headers: verdict.headers,
    });
  });
});

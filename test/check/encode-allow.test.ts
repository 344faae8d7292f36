import { describe, expect, test } from "vitest";
import { decide, decidePublic } from "../../src/check/decide.ts";
import { createEncode, type EncodeSettings } from "../../src/check/encode.ts";
import type { Target } from "../../src/check/judgements.ts";
import { HeaderValueOption_HeaderAppendAction } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { judging, ruleOf } from "../support/policies.ts";
import { identityHeaders, sampleContext } from "../support/sample-check.ts";
import { recordOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const settings: EncodeSettings = {
  identityHeaders,
  realm: "keyward",
  wwwAuthenticate: "on",
  expiryWarningMs: 0,
  onStoreError: "deny",
};
const encode = createEncode(settings);

const target: Target = { method: "GET", path: "/", address: undefined };
const rule = ruleOf();
const whole = recordOf({ id: "key_1", owner: "user/a", tenant: "acme", scopes: ["a:read", "b"] });

function allowed(record: KeyRecord, headers: string[] = [], spellings: string[] = []) {
  return verdictOf(encode(decide(target, rule, record, 0, judging), sampleContext, { headers }, spellings));
}

function allowedUnseen(headers: string[] = [], spellings: string[] = []) {
  return verdictOf(encode(decidePublic({ ...rule, access: "public" }), sampleContext, { headers }, spellings));
}

const underscored = ["x_keyward_key_id", "x_keyward_owner", "x_keyward_tenant", "x_keyward_scopes"];

describe("an allow", () => {
  test("tells the upstream whose key it was", () => {
    const verdict = allowed(whole);
    expect(verdict).toMatchObject({ code: 0, answer: "ok" });
    expect(headersOf(verdict)).toEqual({
      "x-keyward-key-id": "key_1",
      "x-keyward-owner": "user/a",
      "x-keyward-tenant": "acme",
      "x-keyward-scopes": "a:read b",
    });
  });

  test("replaces what the client sent, in both of the ways that Envoy reads", () => {
    const { headers } = allowed(whole);
    const ways = headers.map(({ append, appendAction }) => ({ append, appendAction }));
    const replace = {
      append: false,
      appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    };
    expect(ways).toEqual([replace, replace, replace, replace]);
  });

  test("publishes the decision as metadata", () => {
    expect(allowed(whole).metadata).toEqual({
      decision_id: "d-1",
      reason: "allowed",
      key_id: "key_1",
      owner: "user/a",
      tenant: "acme",
      scopes: ["a:read", "b"],
    });
    const bare = { decision_id: "d-1", reason: "allowed", key_id: "key_1", scopes: [] };
    expect(allowed(recordOf({ id: "key_1" })).metadata).toEqual(bare);
    expect(allowedUnseen().metadata).toEqual({ decision_id: "d-1", reason: "public" });
  });

  test.each<[string, Partial<KeyRecord>, string[]]>([
    ["nothing but its id", {}, ["x-keyward-owner", "x-keyward-tenant", "x-keyward-scopes"]],
    ["an owner", { owner: "user/a" }, ["x-keyward-tenant", "x-keyward-scopes"]],
    ["a tenant", { tenant: "acme" }, ["x-keyward-owner", "x-keyward-scopes"]],
    ["scopes", { scopes: ["a"] }, ["x-keyward-owner", "x-keyward-tenant"]],
    ["everything", { owner: "user/a", tenant: "acme", scopes: ["a"] }, []],
  ])("for a key with %s removes the identity headers that do not apply", (_title, more, absent) => {
    const verdict = allowed(recordOf(more));
    expect(verdict.removed.toSorted()).toEqual([...absent, ...underscored].toSorted());
    expect(Object.keys(headersOf(verdict)).filter((name) => verdict.removed.includes(name))).toEqual([]);
  });

  test("removes the headers that carried the key", () => {
    expect(allowed(whole, ["authorization", "x-api-key"]).removed).toEqual(
      expect.arrayContaining(["authorization", "x-api-key"]),
    );
    expect(allowed(whole).removed).not.toContain("authorization");
  });

  test("removes each spelling that the client sent once, but not the one it sets", () => {
    const spellings = ["x-keyward-owner", "x_keyward_owner", "x.keyward.owner", "x-keyward_tenant"];
    const { removed } = allowed(whole, [], spellings);
    expect(removed.toSorted()).toEqual([...underscored, "x.keyward.owner", "x-keyward_tenant"].toSorted());
  });

  test("removes a spelling of what does not apply, and the name itself, once", () => {
    const { removed } = allowed(recordOf(), [], ["x-keyward-owner", "x.keyward.owner"]);
    expect(removed.filter((name) => name.endsWith("owner")).toSorted()).toEqual([
      "x-keyward-owner",
      "x.keyward.owner",
      "x_keyward_owner",
    ]);
  });

  test("on a public route sets nothing and removes every identity header", () => {
    const verdict = allowedUnseen(["authorization"], ["x.keyward.owner"]);
    expect(verdict).toMatchObject({ code: 0, answer: "ok", headers: [] });
    expect(verdict.removed.toSorted()).toEqual(
      [...Object.values(identityHeaders), ...underscored, "authorization", "x.keyward.owner"].toSorted(),
    );
  });

  test("uses the names that are configured", () => {
    const names = { keyId: "key", owner: "x-owner", tenant: "x.tenant", scopes: "x_scopes" };
    const other = createEncode({ ...settings, identityHeaders: names });
    const some = recordOf({ id: "key_1", scopes: ["a"] });
    const verdict = verdictOf(
      other(decide(target, rule, some, 0, judging), sampleContext, { headers: [] }, ["x-tenant"]),
    );
    expect(headersOf(verdict)).toEqual({ key: "key_1", x_scopes: "a" });
    expect(verdict.removed.toSorted()).toEqual(["x-owner", "x-tenant", "x.tenant", "x_owner"]);
  });

  test("is refused to whatever decide did not make", () => {
    const real = decide(target, rule, whole, 0, judging);
    const forged = { ...real } as typeof real;
    expect(forged).toMatchObject({ allowed: true, reason: "allowed" });
    expect(() => encode(forged, sampleContext, { headers: [] }, [])).toThrow("only decide may allow");
    expect(allowed(whole).code).toBe(0);
  });
});

describe("an answer", () => {
  test("stays as it is when later ones are written", () => {
    const records = Array.from({ length: 2_000 }, (_, index) =>
      recordOf({ id: `key_${index}`, owner: `user/${index}` }),
    );
    const answers = records.map((record) => {
      const context = { ...sampleContext, decisionId: `d-${index(record)}` };
      return encode(decide(target, rule, record, 0, judging), context, { headers: [] }, []);
    });
    const told = answers.map((answer) => verdictOf(answer).metadata);
    expect(told.map(({ key_id, owner, decision_id }) => ({ key_id, owner, decision_id }))).toEqual(
      records.map((record) => ({ key_id: record.id, owner: record.owner, decision_id: `d-${index(record)}` })),
    );
  });

  test.each([1, 100, 1_000, 10_000])("holds %i scopes as they are, and so does the next one", (count) => {
    const scopes = Array.from({ length: count }, (_, index) => `scope:${index}`);
    const verdict = allowed(recordOf({ scopes }));
    expect(verdict.metadata.scopes).toEqual(scopes);
    expect(headersOf(verdict)["x-keyward-scopes"]).toBe(scopes.join(" "));
    expect(allowed(whole).metadata.scopes).toEqual(whole.scopes);
  });

  test("is as it would be after an answer that could not be written", () => {
    const broken = recordOf({ owner: "user/a", scopes: ["a", undefined as unknown as string] });
    expect(() => encode(decide(target, rule, broken, 0, judging), sampleContext, { headers: [] }, [])).toThrow(
      TypeError,
    );
    expect(allowed(whole)).toMatchObject({ code: 0, metadata: { key_id: "key_1" } });
  });
});

function index({ id }: KeyRecord): string {
  return id.slice("key_".length);
}

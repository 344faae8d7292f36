import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OwnerLimits } from "../../src/key/record.ts";
import { compileScopes, type ScopeGraph } from "../../src/policy/scope-graph.ts";
import { recordOf } from "../support/sample-keys.ts";

/** Definitions in short: each scope with what it implies. */
type Implied = Readonly<Record<string, readonly string[]>>;

function graphOf(implied: Implied): ScopeGraph {
  const compiled = compileScopes(
    Object.fromEntries(Object.entries(implied).map(([scope, implies]) => [scope, { implies }])),
  );
  if ("problems" in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.graph;
}

/** What an owner says that is not disabled. */
function limitsOf(scopes: readonly string[] | undefined): OwnerLimits {
  return { disabled: false, scopes };
}

/** What is left of a key's scopes under its owner's. */
function cut(implied: Implied, key: readonly string[], owner: readonly string[]): readonly string[] {
  return graphOf(implied).effectiveScopes(recordOf({ scopes: key, ownerLimits: limitsOf(owner) }));
}

const API: Implied = { admin: ["write"], write: ["read"], read: [], audit: [] };

describe("a key's scopes are cut to its owner's:", () => {
  test.each<[title: string, defined: Implied, key: string[], owner: string[], left: string[]]>([
    ["the same", {}, ["a"], ["a"], ["a"]],
    ["another", {}, ["a"], ["b"], []],
    ["one of two", {}, ["a", "b"], ["b", "c"], ["b"]],
    ["in the order of the key", {}, ["b", "a"], ["a", "b"], ["b", "a"]],
    ["another case", {}, ["a"], ["A"], []],
    ["a longer one", {}, ["orders"], ["orders:read"], []],
    ["a key with nothing", {}, [], ["a"], []],
    ["an owner with nothing", {}, ["a"], [], []],

    ["a wildcard of the owner covers the key's", {}, ["orders:read"], ["orders:*"], ["orders:read"]],
    ["a wildcard of the owner covers nothing beside it", {}, ["invoices:read"], ["orders:*"], []],
    ["a wildcard of the owner does not cover its own stem", {}, ["orders"], ["orders:*"], []],
    ["a wildcard of the key is cut to what the owner names", {}, ["orders:*"], ["orders:read", "b"], ["orders:read"]],
    ["a wildcard of the key is not cut to what lies beside it", {}, ["orders:*"], ["order:read"], []],
    ["the same wildcard on both sides", {}, ["orders:*"], ["orders:*"], ["orders:*"]],
    ["a narrower wildcard of the key", {}, ["orders:eu:*"], ["orders:*"], ["orders:eu:*"]],
    ["a narrower wildcard of the owner", {}, ["orders:*"], ["orders:eu:*"], ["orders:eu:*"]],
    ["wildcards beside each other", {}, ["orders:eu:*"], ["orders:us:*"], []],
    ["* of the key", {}, ["*"], ["a", "b:*"], ["a", "b:*"]],
    ["* of the owner", {}, ["a", "b:*"], ["*"], ["a", "b:*"]],

    ["what the owner's implies", API, ["read"], ["write"], ["read"]],
    ["what the owner's implies two steps on", API, ["read"], ["admin"], ["read"]],
    ["what the key's implies", API, ["write"], ["read"], ["read"]],
    ["what the key's implies two steps on", API, ["admin"], ["read"], ["read"]],
    ["what neither implies", API, ["write"], ["audit"], []],
    ["what both imply, and neither has", { a: ["c"], b: ["c"], c: [] }, ["a"], ["b"], ["c"]],
    ["not what one of them implies", { a: ["c"], b: ["d"], c: [], d: [] }, ["a"], ["b"], []],
    ["what both imply two steps on", { a: ["x"], b: ["y"], x: ["c"], y: ["c"], c: [] }, ["a"], ["b"], ["c"]],
    ["a wildcard that both imply", { a: ["o:*"], b: ["o:*"], "o:read": [] }, ["a"], ["b"], ["o:*"]],
    ["the narrower of two that are implied", { a: ["o:*"], b: ["o:eu:*"] }, ["a"], ["b"], ["o:eu:*"]],
    ["wildcards beside each other that are implied", { a: ["o:eu:*"], b: ["o:us:*"] }, ["a"], ["b"], []],
    ["what lies under a wildcard and is implied", { a: ["o:read"], "o:read": [] }, ["a"], ["o:*"], ["o:read"]],
    ["what a scope under the wildcard implies", { "o:w": ["r"], r: [] }, ["o:*"], ["r"], ["r"]],
    ["not what a scope beside the wildcard implies", { "p:w": ["r"], r: [] }, ["o:*"], ["r"], []],
  ])("%s", (_title, defined, key, owner, left) => {
    expect(cut(defined, key, owner)).toEqual(left);
  });
});

describe("a key", () => {
  test.each<[title: string, inherits: boolean, limits: OwnerLimits | undefined, granted: string[]]>([
    ["without a registered owner has its own", false, undefined, ["a", "b"]],
    ["of an owner without a list has its own", false, limitsOf(undefined), ["a", "b"]],
    ["of an owner with a list has what both have", false, limitsOf(["b", "c"]), ["b"]],
    ["of an owner with an empty list has nothing", false, limitsOf([]), []],
    ["that inherits has its owner's list, and not its own", true, limitsOf(["b", "c"]), ["b", "c"]],
    ["that inherits an empty list has nothing", true, limitsOf([]), []],
    ["that inherits from an owner without a list has nothing", true, limitsOf(undefined), []],
    ["that inherits from an owner that is not registered has nothing", true, undefined, []],
  ])("%s", (_title, inheritsScopes, ownerLimits, granted) => {
    const record = recordOf({ scopes: ["a", "b"], inheritsScopes, ownerLimits });
    expect(graphOf({}).effectiveScopes(record)).toEqual(granted);
  });

  test("is cut by the rules of each configuration, though its record is the same", () => {
    const record = recordOf({ scopes: ["write"], ownerLimits: limitsOf(["read"]) });
    const [implying, plain] = [graphOf(API), graphOf({ write: [], read: [] })];
    expect([implying, plain, implying].map((graph) => graph.effectiveScopes(record))).toEqual([["read"], [], ["read"]]);
  });
});

describe("whatever the definitions and the lists are", () => {
  const names = ["a", "b", "o:r", "o:w", "o:eu:r", "p:r"];
  const wildcards = ["*", "o:*", "o:eu:*", "p:*"];
  const anyScope = fc.constantFrom(...names, ...wildcards);
  /** Each may imply wildcards and what is defined behind it, so that none implies itself. */
  const definitions = fc
    .tuple(...names.map((_, index) => fc.subarray([...names.slice(index + 1), ...wildcards], { maxLength: 2 })))
    .map((lists): Implied => Object.fromEntries(names.map((name, index) => [name, lists[index] ?? []])));
  const list = fc.uniqueArray(anyScope, { maxLength: 4 });
  const sample = { implied: fc.oneof(definitions, fc.constant<Implied>({})), key: list, owner: list };
  /** Also what is neither defined nor named anywhere. */
  const asked = [...names, ...wildcards, "o:x", "o:eu:x", "p:x", "q"];

  test("what is granted is what both grant", () => {
    fc.assert(
      fc.property(fc.record(sample), ({ implied, key, owner }) => {
        const { grants } = graphOf(implied);
        const left = cut(implied, key, owner);
        const granted = asked.filter((scope) => grants(left, scope));
        expect(granted).toEqual(asked.filter((scope) => grants(key, scope) && grants(owner, scope)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("who cuts whom makes no difference to what is granted", () => {
    fc.assert(
      fc.property(fc.record(sample), ({ implied, key, owner }) => {
        const { grants } = graphOf(implied);
        const [one, other] = [cut(implied, key, owner), cut(implied, owner, key)];
        expect(asked.filter((scope) => grants(one, scope))).toEqual(asked.filter((scope) => grants(other, scope)));
      }),
    );
  });
});

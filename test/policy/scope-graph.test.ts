import { describe, expect, test } from "vitest";
import type { ScopeConfig } from "../../src/policy/config.ts";
import { compileScopes, type ScopeGraph, type ScopeProblem } from "../../src/policy/scope-graph.ts";

/** Definitions in short: each scope with what it implies. */
type Implied = Readonly<Record<string, readonly string[]>>;

function definitionsOf(implied: Implied): Record<string, ScopeConfig> {
  return Object.fromEntries(Object.entries(implied).map(([scope, implies]) => [scope, { implies }]));
}

function graphOf(implied: Implied): ScopeGraph {
  const compiled = compileScopes(definitionsOf(implied));
  if ("problems" in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.graph;
}

function problemsOf(definitions: Readonly<Record<string, ScopeConfig>>): readonly ScopeProblem[] {
  const compiled = compileScopes(definitions);
  return "problems" in compiled ? compiled.problems : [];
}

/** Whether a key with one scope has what is asked for. */
function grants(implied: Implied, granted: string, required: string): boolean {
  return graphOf(implied).grants([granted], required);
}

describe("a scope brings", () => {
  test.each<[string, Implied, string, string, boolean]>([
    ["itself", { a: [] }, "a", "a", true],
    ["not another", { a: [], b: [] }, "a", "b", false],
    ["itself where nothing is defined", {}, "a", "a", true],
    ["not another where nothing is defined", {}, "a", "b", false],
    ["itself where others are defined", { b: [] }, "a", "a", true],
    ["what it implies", { a: ["b"], b: [] }, "a", "b", true],
    ["not what implies it", { a: ["b"], b: [] }, "b", "a", false],
    ["what is implied by what it implies", { a: ["b"], b: ["c"], c: [] }, "a", "c", true],
    ["not what a neighbour implies", { a: ["b"], b: [], c: ["d"], d: [] }, "a", "d", false],
    ["what is implied four steps on", { a: ["b"], b: ["c"], c: ["d"], d: ["e"], e: [] }, "a", "e", true],
    ["what is implied in two ways", { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, "a", "d", true],
    ["everything, where it implies *", { all: ["*"], b: [] }, "all", "b", true],
    ["also what is not defined, where it implies *", { all: ["*"] }, "all", "x:y", true],
    ["nothing more beside one that implies *", { all: ["*"], b: [] }, "b", "c", false],
    ["everything, two steps from *", { root: ["all"], all: ["*"] }, "root", "x", true],
    ["what lies below an implied wildcard", { a: ["o:*"], "o:read": [] }, "a", "o:read", true],
    ["what lies below an implied wildcard and is not defined", { a: ["o:*"] }, "a", "o:x:y", true],
    ["not the stem of an implied wildcard", { a: ["o:*"], o: [] }, "a", "o", false],
    ["not what only begins like an implied wildcard", { a: ["o:*"], "ox:read": [] }, "a", "ox:read", false],
    ["what a scope below an implied wildcard implies", { a: ["o:*"], "o:w": ["r"], r: [] }, "a", "r", true],
    ["not what a scope beside an implied wildcard implies", { a: ["o:*"], "p:w": ["r"], r: [] }, "a", "r", false],
    ["as a wildcard of a key, what a scope below it implies", { "o:w": ["r"], r: [] }, "o:*", "r", true],
    ["as a wildcard of a key, not what a scope beside it implies", { "p:w": ["r"], r: [] }, "o:*", "r", false],
    ["as * of a key, everything", { a: ["b"], b: [] }, "*", "z", true],
    ["its wildcard, which covers itself", { "o:all": ["o:*"], "o:read": [] }, "o:all", "o:read", true],
    ["what comes round through a wildcard", { "o:a": ["b"], b: ["o:*"], "o:c": [] }, "o:a", "o:c", true],
    ["not another case", { A: ["b"], b: [], a: [] }, "a", "b", false],
    ["no property that objects have", { a: [] }, "a", "constructor", false],
  ])("%s", (_title, implied, granted, required, granting) => {
    expect(grants(implied, granted, required)).toBe(granting);
  });
});

describe("what is asked for is granted by exactly", () => {
  const graph = graphOf({ write: ["read"], admin: ["write", "audit:*"], root: ["*"], read: [] });
  const every = ["read", "write", "admin", "root", "audit:read", "audit", "toString"];

  test.each<[string, string[]]>([
    ["read", ["read", "write", "admin", "root"]],
    ["write", ["write", "admin", "root"]],
    ["root", ["root"]],
    ["audit:read", ["admin", "root", "audit:read"]],
    ["audit", ["root", "audit"]],
    ["toString", ["root", "toString"]],
  ])("%s by %j", (required, granting) => {
    expect(every.filter((scope) => graph.grants([scope], required))).toEqual(granting);
  });
});

test("the scopes that are defined are known, and none are where none is", () => {
  expect(graphOf({ b: [], a: ["b"] }).defined).toEqual(["b", "a"]);
  expect(graphOf({}).defined).toEqual([]);
});

describe("definitions are refused for", () => {
  test.each<[string, Record<string, ScopeConfig>, ScopeProblem[]]>([
    ["a scope that implies itself", { a: { implies: ["a"] } }, [{ scope: "a", message: "implies itself: a → a" }]],
    [
      "two scopes that imply each other",
      definitionsOf({ a: ["b"], b: ["a"] }),
      [
        { scope: "a", message: "implies itself: a → b → a" },
        { scope: "b", message: "implies itself: b → a → b" },
      ],
    ],
    [
      "three scopes in a circle, but not for those that lead there or away",
      definitionsOf({ in: ["a"], a: ["b"], b: ["c"], c: ["a", "out"], out: [] }),
      [
        { scope: "a", message: "implies itself: a → b → c → a" },
        { scope: "b", message: "implies itself: b → c → a → b" },
        { scope: "c", message: "implies itself: c → a → b → c" },
      ],
    ],
    [
      "a scope that is not defined",
      definitionsOf({ a: ["b"] }),
      [{ scope: "a", message: 'implies "b", which is not defined' }],
    ],
    [
      "a property that objects have, which is not defined",
      definitionsOf({ a: ["constructor"] }),
      [{ scope: "a", message: 'implies "constructor", which is not defined' }],
    ],
    [
      "an implied scope in another case",
      definitionsOf({ a: ["B"], b: [] }),
      [{ scope: "a", message: 'implies "B", which is not defined' }],
    ],
    [
      "an implied text that is no scope",
      definitionsOf({ a: ["b c"] }),
      [{ scope: "a", message: 'implies "b c", which is not a scope' }],
    ],
    [
      "an implied * that is not a whole segment",
      definitionsOf({ a: ["b*"] }),
      [{ scope: "a", message: 'implies "b*", which is not a scope' }],
    ],
    [
      "an empty implied scope",
      definitionsOf({ a: [""] }),
      [{ scope: "a", message: 'implies "", which is not a scope' }],
    ],
    ["a name with a space", { "a b": {} }, [{ scope: "a b", message: 'must be a scope without "*"' }]],
    ["an empty name", { "": {} }, [{ scope: "", message: 'must be a scope without "*"' }]],
    [
      "a name of 129 characters",
      { ["a".repeat(129)]: {} },
      [{ scope: "a".repeat(129), message: 'must be a scope without "*"' }],
    ],
    ["the name *", { "*": {} }, [{ scope: "*", message: 'must be a scope without "*"' }]],
    ["a name with a wildcard", { "a:*": {} }, [{ scope: "a:*", message: 'must be a scope without "*"' }]],
    [
      "everything at once",
      { ...definitionsOf({ a: ["a", "x", "y z"] }), "b c": {} },
      [
        { scope: "a", message: 'implies "x", which is not defined' },
        { scope: "a", message: 'implies "y z", which is not a scope' },
        { scope: "a", message: "implies itself: a → a" },
        { scope: "b c", message: 'must be a scope without "*"' },
      ],
    ],
  ])("%s", (_title, definitions, problems) => {
    expect(problemsOf(definitions)).toEqual(problems);
  });
});

describe("definitions are sound with", () => {
  test.each<[string, Record<string, ScopeConfig>]>([
    ["nothing", {}],
    ["a scope of which nothing is said", { a: {} }],
    ["a name of 128 characters", { ["a".repeat(128)]: {} }],
    ["a description", { a: { description: "Everything", implies: [] } }],
    ["an implied *", definitionsOf({ a: ["*"] })],
    ["an implied wildcard that covers the scope itself", definitionsOf({ "a:b": ["a:*"] })],
    ["an implied wildcard that covers nothing defined", definitionsOf({ a: ["z:*"] })],
    ["the same implied twice", definitionsOf({ a: ["b", "b"], b: [] })],
    ["two ways to the same", definitionsOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })],
    ["names of properties that objects have", definitionsOf({ constructor: ["toString"], toString: [] })],
  ])("%s", (_title, definitions) => {
    expect(problemsOf(definitions)).toEqual([]);
  });

  test("forty layers between which there are a million million ways", () => {
    const layers = Array.from({ length: 40 }, (_, layer) => {
      const below = layer === 39 ? [] : [`a${layer + 1}`, `b${layer + 1}`];
      return { [`a${layer}`]: below, [`b${layer}`]: below };
    });
    const implied: Implied = Object.assign({}, ...layers);
    expect(grants(implied, "a0", "b39")).toBe(true);
    expect(grants(implied, "b39", "a0")).toBe(false);
  });
});

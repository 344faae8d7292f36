import { ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/admin/caller.ts";
import { createGrants } from "../../src/admin/grants.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import type { PolicyConfig } from "../../src/policy/config.ts";
import type { ScopeGraph } from "../../src/policy/scope-graph.ts";
import { policyOf } from "../support/policies.ts";

const bound: Caller = { name: "akey_a", source: "127.0.0.1", scopes: [], tenant: "acme" };
const free: Caller = { ...bound, tenant: undefined };

const graphOf = (scopes: PolicyConfig["scopes"]): ScopeGraph => policyOf([], undefined, scopes).scopes;

function grantsOf(grantable: readonly string[] | undefined, graph: ScopeGraph) {
  const config = grantable === undefined ? {} : { grantable_scopes: grantable };
  return createGrants(new Map([["acme", config]]), graph);
}

/** The message of the refusal; undefined where there is none. */
function refusalOf(judge: () => void): string | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    const refusal = ConnectError.from(error);
    const reasons = refusal.findDetails(ErrorInfoSchema).map(({ reason }) => reason);
    return `${codeToString(refusal.code)} ${reasons}: ${refusal.rawMessage}`;
  }
}

const refused = (scopes: string, grantable: string) =>
  `permission_denied BEYOND_GRANTABLE: you cannot grant ${scopes}: grantable in the tenant acme is ${grantable}`;

const IMPLYING: PolicyConfig["scopes"] = {
  "orders:write": { implies: ["orders:read"] },
  "orders:read": {},
  "orders:admin": { implies: ["orders:*", "billing:read"] },
  "billing:read": {},
  "orders:all": { implies: ["orders:write"] },
  root: { implies: ["*"] },
};

describe("a scope is grantable, and another is not:", () => {
  test.each<[title: string, grantable: string[] | undefined, scopes: PolicyConfig["scopes"], yes: string, no: string]>([
    ["itself", ["orders:read"], undefined, "orders:read", "orders:reads"],
    ["in its own case", ["orders:read"], undefined, "orders:read", "Orders:read"],
    ["below a wildcard", ["orders:*"], undefined, "orders:read", "order:read"],
    ["far below a wildcard", ["orders:*"], undefined, "orders:read:all", "orders"],
    ["a wildcard itself", ["orders:*"], undefined, "orders:*", "*"],
    ["a wildcard below a wildcard", ["orders:*"], undefined, "orders:eu:*", "order:*"],
    ["one that a grantable one implies", ["orders:write"], IMPLYING, "orders:read", "orders:admin"],
    ["one below a wildcard that is implied", ["orders:admin"], IMPLYING, "orders:write", "root"],
    ["one that is implied on the way", ["orders:all"], IMPLYING, "orders:read", "orders:admin"],
    ["a wildcard that is implied", ["orders:admin"], IMPLYING, "orders:*", "*"],
    ["one that a scope below a grantable wildcard implies", ["orders:*"], IMPLYING, "billing:read", "billing:*"],
    ["itself, and not what implies it", ["orders:read"], IMPLYING, "orders:read", "orders:write"],
    ["one of several", ["a", "b"], undefined, "b", "c"],
  ])("%s", (_, grantable, scopes, yes, no) => {
    const grants = grantsOf(grantable, graphOf(scopes));
    const judge = (scope: string) =>
      refusalOf(() => grants.judgeKey({ scopes: [scope], inheritsScopes: false }, undefined, bound));
    expect(judge(yes)).toBe(undefined);
    expect(judge(no)).toBe(refused(no, (grantable ?? []).join(", ")));
  });

  test.each(["*", "root"])("everything, where %s is grantable", (grantable) => {
    const grants = grantsOf([grantable], graphOf(IMPLYING));
    const key = { scopes: ["*", "root", "orders:*", "billing:read"], inheritsScopes: false };
    expect(refusalOf(() => grants.judgeKey(key, undefined, bound))).toBe(undefined);
  });

  test.each<[title: string, grantable: string[] | undefined]>([
    ["with an empty list", []],
    ["without a list", undefined],
  ])("nothing is grantable in a tenant %s", (_, grantable) => {
    const grants = grantsOf(grantable, graphOf(undefined));
    const judge = (...scopes: string[]) =>
      refusalOf(() => grants.judgeKey({ scopes, inheritsScopes: false }, undefined, bound));
    expect(judge()).toBe(undefined);
    expect(judge("a")).toBe(refused("a", "nothing"));
  });

  test("nothing is grantable in a tenant of which nothing is said, and all to who is bound to none", () => {
    const grants = createGrants(new Map(), graphOf(undefined));
    const key = { scopes: ["a"], inheritsScopes: false };
    expect(refusalOf(() => grants.judgeKey(key, undefined, bound))).toBe(refused("a", "nothing"));
    expect(refusalOf(() => grants.judgeKey(key, undefined, free))).toBe(undefined);
  });
});

test("a key that is within what is grantable opens nothing beyond it, whatever implies what", () => {
  const plain = fc.constantFrom("a", "b", "c", "a:x", "a:y", "b:x", "a:x:z");
  const any = fc.oneof(plain, fc.constantFrom("*", "a:*", "b:*", "a:x:*"));
  // Upwards only, so that nothing implies itself.
  const definitions = fc.dictionary(plain, fc.array(any, { maxLength: 3 }), { maxKeys: 7 });
  const property = fc.property(
    definitions,
    fc.array(any, { maxLength: 4 }),
    fc.array(any, { maxLength: 4 }),
    plain,
    (defined, grantable, given, opened) => {
      const names = Object.keys(defined).sort();
      const scopes = Object.fromEntries(
        names.map((name, index) => [
          name,
          { implies: (defined[name] ?? []).filter((other) => other.endsWith("*") || names.indexOf(other) > index) },
        ]),
      );
      const graph = graphOf(scopes);
      const grants = grantsOf(grantable, graph);
      const isRefused =
        refusalOf(() => grants.judgeKey({ scopes: given, inheritsScopes: false }, undefined, bound)) !== undefined;
      expect(isRefused || !graph.grants(given, opened) || graph.grants(grantable, opened)).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});

test("a key that has all of its owner is judged by the owner's list, and any other by its own", () => {
  const grants = grantsOf(["a"], graphOf(undefined));
  const judge = (scopes: string[], inheritsScopes: boolean, ownerScopes: string[] | undefined) =>
    refusalOf(() => grants.judgeKey({ scopes, inheritsScopes }, ownerScopes, bound));
  expect(judge([], true, ["a"])).toBe(undefined);
  expect(judge([], true, ["a", "b"])).toBe(refused("b", "a"));
  expect(judge(["a"], false, ["b"])).toBe(undefined);
  expect(judge(["b"], false, ["a"])).toBe(refused("b", "a"));
});

describe("an owner is judged", () => {
  const open = (...scopes: string[]) => ({ scopes, disabled: false });
  const shut = (...scopes: string[]) => ({ scopes, disabled: true });
  const [unlimited, unlimitedShut] = [
    { scopes: undefined, disabled: false },
    { scopes: undefined, disabled: true },
  ];
  type Before = Parameters<ReturnType<typeof grantsOf>["judgeOwner"]>[0];

  test.each<[title: string, before: Before, after: Exclude<Before, undefined>, given: string[], beyond: string]>([
    ["new, by its list", undefined, open("a"), ["b"], ""],
    ["new, by its list", undefined, open("b", "a"), [], "b"],
    ["new without a list, by nothing", undefined, unlimited, ["b"], ""],
    ["open, by the list that it has from now on", open("b"), open("a"), ["b"], ""],
    ["open, by the list that it has from now on", open("a"), open("b"), [], "b"],
    ["open, by the list that it keeps", open("b"), open("b"), [], "b"],
    ["that never had a list, by nothing", unlimited, unlimited, ["b"], ""],
    ["that gets a list, by it", unlimited, open("a"), ["b"], ""],
    ["that loses its list, by what it held back", open(), unlimited, ["a"], ""],
    ["that loses its list, by what it held back", open(), unlimited, ["a", "b"], "b"],
    ["that opens again, by its list and what it held back", shut("a"), open("a"), ["a"], ""],
    ["that opens again, by its list and what it held back", shut("b"), open("b"), ["a", "c"], "b, c"],
    ["that opens again without a list, by what it held back", unlimitedShut, unlimited, ["b"], "b"],
    ["that is shut, by nothing", open("b"), shut("b"), ["b"], ""],
    ["that stays shut, by nothing", shut("b"), shut("b"), ["b"], ""],
    ["that stays shut with another list, by that", shut("b"), shut("c"), [], "c"],
    ["that stays shut with another list, by that", shut("b"), shut("a"), ["b"], ""],
    ["that stays shut and loses its list, by what it held back", shut(), unlimitedShut, ["b"], "b"],
  ])("%s: %j to %j, keys of %j", (_, before, after, given, beyond) => {
    const grants = grantsOf(["a"], graphOf(undefined));
    const judge = (caller: Caller) => refusalOf(() => grants.judgeOwner(before, after, () => given, caller));
    expect(judge(bound)).toBe(beyond === "" ? undefined : refused(beyond, "a"));
    expect(judge(free)).toBe(undefined);
  });
});

test("a refusal names ten scopes of a list and counts the rest, and each once", () => {
  const many = (letter: string, count: number) => Array.from({ length: count }, (_, index) => `${letter}${index}`);
  const grants = grantsOf(many("g", 11), graphOf(undefined));
  const judge = (scopes: string[]) =>
    refusalOf(() => grants.judgeKey({ scopes, inheritsScopes: false }, undefined, bound));
  const grantable = `${many("g", 10).join(", ")} and 1 more`;
  expect(judge([...many("x", 10), "x1"])).toBe(refused(many("x", 10).join(", "), grantable));
  expect(judge(many("x", 13))).toBe(refused(`${many("x", 10).join(", ")} and 3 more`, grantable));
});

import { describe, expect, test } from "vitest";
import { isOwnExtension, ruleFromExtensions } from "../../src/policy/extensions.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { ruleOf } from "../support/policies.ts";

type Entries = readonly (readonly [name: string, value: string])[];

function ruleFrom(entries: Entries): Rule | undefined {
  return ruleFromExtensions(entries.map(([name, value]) => ({ name: `keyward.${name}`, value })));
}

const open = ruleOf({ route: "context_extensions" });
const acme = { literal: "acme", segment: undefined };

describe("the entries of a route make a rule:", () => {
  test.each<[string, Entries, object]>([
    ["public", [["access", "public"]], { access: "public" }],
    ["deny", [["access", "deny"]], { access: "deny" }],
    ["authenticated", [["access", "authenticated"]], {}],
    ["one scope", [["scopes", "a:read"]], { scopes: ["a:read"] }],
    ["two scopes, of which any is enough", [["scopes", "a b"]], { scopes: ["a", "b"] }],
    [
      "two scopes, of which any is enough, in words",
      [
        ["scopes", "a b"],
        ["match", "any"],
      ],
      { scopes: ["a", "b"] },
    ],
    [
      "two scopes, of which all are needed",
      [
        ["match", "all"],
        ["scopes", "a b"],
      ],
      { scopes: ["a", "b"], match: "all" },
    ],
    [
      "scopes and access that agree",
      [
        ["access", "authenticated"],
        ["scopes", "a"],
      ],
      { scopes: ["a"] },
    ],
    ["a tenant", [["tenant", "acme"]], { tenant: acme }],
    [
      "a tenant and access that agree",
      [
        ["tenant", "acme"],
        ["access", "authenticated"],
      ],
      { tenant: acme },
    ],
    [
      "a tenant and scopes",
      [
        ["match", "all"],
        ["tenant", "acme"],
        ["scopes", "a b"],
      ],
      { tenant: acme, scopes: ["a", "b"], match: "all" },
    ],
  ])("%s", (_title, entries, rule) => {
    expect(ruleFrom(entries)).toEqual({ ...open, ...rule });
  });
});

describe("the entries of a route make none:", () => {
  test.each<[string, Entries]>([
    ["an unknown name", [["acces", "public"]]],
    ["no name", [["", "public"]]],
    ["a name in capitals", [["Access", "public"]]],
    [
      "an unknown name beside a known one",
      [
        ["access", "public"],
        ["scope", "a"],
      ],
    ],
    ["an unknown access", [["access", "open"]]],
    ["access in capitals", [["access", "Public"]]],
    ["access with a space", [["access", "public "]]],
    ["an empty access", [["access", ""]]],
    [
      "an unknown match",
      [
        ["scopes", "a"],
        ["match", "one"],
      ],
    ],
    ["match without scopes", [["match", "all"]]],
    [
      "match without scopes, beside access",
      [
        ["access", "authenticated"],
        ["match", "all"],
      ],
    ],
    ["empty scopes", [["scopes", ""]]],
    ["scopes with two spaces between them", [["scopes", "a  b"]]],
    ["scopes with a comma between them", [["scopes", "a,b"]]],
    ["scopes with a space at the end", [["scopes", "a "]]],
    ["scopes that are not ASCII", [["scopes", "caf\xe9"]]],
    ["a scope with a wildcard", [["scopes", "a:*"]]],
    [
      "public with scopes",
      [
        ["access", "public"],
        ["scopes", "a"],
      ],
    ],
    [
      "deny with scopes",
      [
        ["scopes", "a"],
        ["access", "deny"],
      ],
    ],
    [
      "access twice",
      [
        ["access", "deny"],
        ["access", "deny"],
      ],
    ],
    [
      "scopes twice",
      [
        ["scopes", "a"],
        ["scopes", "a"],
      ],
    ],
    [
      "match twice",
      [
        ["scopes", "a"],
        ["match", "all"],
        ["match", "all"],
      ],
    ],
    [
      "match without scopes, beside a tenant",
      [
        ["tenant", "acme"],
        ["match", "all"],
      ],
    ],
    ["an empty tenant", [["tenant", ""]]],
    ["a tenant in capitals", [["tenant", "Acme"]]],
    ["a tenant with a space", [["tenant", "acme "]]],
    ["two tenants", [["tenant", "acme,other"]]],
    ["a segment for the tenant, since there is no pattern", [["tenant", "{tenant}"]]],
    [
      "public with a tenant",
      [
        ["access", "public"],
        ["tenant", "acme"],
      ],
    ],
    [
      "deny with a tenant",
      [
        ["tenant", "acme"],
        ["access", "deny"],
      ],
    ],
    [
      "a tenant twice",
      [
        ["tenant", "acme"],
        ["tenant", "acme"],
      ],
    ],
    ["an owner", [["owner", "user/alice"]]],
    ["to forward the credential", [["forward_credential", "true"]]],
  ])("%s", (_title, entries) => {
    expect(ruleFrom(entries)).toBeUndefined();
  });
});

test.each([
  ["is one of ours", "keyward.access", true],
  ["in another case is meant for us", "Keyward.access", true],
  ["in capitals is meant for us", "KEYWARD.", true],
  ["that we do not know is meant for us", "keyward.x", true],
  ["that begins alike is somebody else's", "keyward_access", false],
  ["that holds it further on is somebody else's", "x.keyward.access", false],
])("an entry that %s: %s", (_title, name, ours) => {
  expect(isOwnExtension(name)).toBe(ours);
});

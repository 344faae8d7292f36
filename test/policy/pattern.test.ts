import { describe, expect, test } from "vitest";
import { matchesPattern, type PatternForms, parsePattern } from "../../src/policy/pattern.ts";

function parsed(text: string): PatternForms {
  const forms = parsePattern(text);
  if (typeof forms === "string") throw new Error(forms);
  return forms;
}

describe("what opens", () => {
  test.each([
    ["/v1", "/v1", true],
    ["/v1", "/v", false],
    ["/v1", "/v1x", false],
    ["/v1", "/v1/", false],
    ["/v1", "/V1", false],
    ["/v1", "/v1/orders", false],
    ["/v1/", "/v1/", true],
    ["/v1/", "/v1", false],
    ["/v1/", "/v1/x", false],
    ["/", "/", true],
    ["/", "/a", false],
    ["/a:b", "/a:b", true],
    ["/a:b", "/a%3Ab", false],
    ["/%7euser", "/~user", true],
    ["/%7euser", "/%7euse", false],
    ["/a%20b", "/a%20b", true],
    ["/v1/**", "/v1", true],
    ["/v1/**", "/v1/", true],
    ["/v1/**", "/v1/orders/7", true],
    ["/v1/**", "/v1x", false],
    ["/v1/**", "/v", false],
    ["/v1/**", "/", false],
    ["/**", "/", true],
    ["/**", "/a/b/c", true],
    ["/t/{tenant}", "/t/acme", true],
    ["/t/{tenant}", "/t/", false],
    ["/t/{tenant}", "/t", false],
    ["/t/{tenant}", "/t/acme/", false],
    ["/t/{tenant}", "/t/acme/x", false],
    ["/t/*", "/t/acme", true],
    ["/t/*", "/s/acme", false],
    ["/t/*/x", "/t/acme/x", true],
    ["/t/*/x", "/t/acme/y", false],
    ["/t/*/x", "/t//x", false],
    ["/t/*/x", "/t/acme/xx", false],
    ["/t/*/**", "/t/acme", true],
    ["/t/*/**", "/t/acme/", true],
    ["/t/*/**", "/t/acme/x/y", true],
    ["/t/*/**", "/t/", false],
    ["/t/*/**", "/t", false],
    ["/{a}/{b}", "/1/2", true],
    ["/{a}/{b}", "/1", false],
    ["/*", "/a", true],
    ["/*", "/", false],
    ["/*/", "/a/", true],
    ["/*/", "/a", false],
  ])("by %j matches %j: %s", (pattern, path, matches) => {
    expect(matchesPattern(parsed(pattern).exact, path)).toBe(matches);
  });
});

describe("what asks, in the loose form of both,", () => {
  test.each([
    ["/V1/Orders", "/v1/orders", true],
    ["/V1/Orders", "/v1/order", false],
    ["/v1/", "/v1", true],
    ["/v1/", "/v", false],
    ["/", "", true],
    ["/", "/a", false],
    ["/a%3Ab", "/a:b", true],
    ["/A%3ab", "/a:b", true],
    ["/a%3Ab", "/a;b", false],
    ["/caf%C3%A9", "/caf\xc3\xa9", true],
    ["/caf%C3%A9", "/caf\xc3\x89", false],
    ["/V1/**", "/v1", true],
    ["/V1/**", "/v1/x", true],
    ["/V1/**", "/v1x", false],
    ["/T/{tenant}/", "/t/acme", true],
    ["/T/{tenant}/", "/t", false],
    ["/**", "", true],
    ["/*", "/a", true],
    ["/*", "", false],
    ["/*/", "/a", true],
    ["/*/", "/a/b", false],
  ])("by %j matches %j: %s", (pattern, path, matches) => {
    expect(matchesPattern(parsed(pattern).loose, path)).toBe(matches);
  });
});

test.each<[string, (string | undefined)[]]>([
  ["/t/{tenant}/**", [undefined, "tenant"]],
  ["/{a}/*/{b}/", ["a", undefined, "b", undefined]],
  ["/T/{Tenant}", [undefined, "Tenant"]],
  ["/{a}/{a}", ["a", "a"]],
  ["/v1/orders", [undefined, undefined]],
  ["/**", []],
])("the segments of %j are called %j", (pattern, names) => {
  expect(parsed(pattern).names).toEqual(names);
});

describe("no pattern is", () => {
  const ambiguous = "can be read in more than one way";
  const segment = (text: string) =>
    `"${text}" must be a literal, "*" or "{name}" as a whole segment; "**" may stand only at the end`;
  test.each([
    ["", 'must begin with "/"'],
    ["v1", 'must begin with "/"'],
    ["**", 'must begin with "/"'],
    ["//", ambiguous],
    ["/a//b", ambiguous],
    ["/a//**", ambiguous],
    ["//**", ambiguous],
    ["/a/../b", ambiguous],
    ["/a/.", ambiguous],
    ["/a%2fb", ambiguous],
    ["/a%", ambiguous],
    ["/a;b", ambiguous],
    ["/a?b", ambiguous],
    ["/a#b", ambiguous],
    ["/a b", ambiguous],
    ["/caf\u00e9", ambiguous],
    ["/**/a", segment("**")],
    ["/a**", segment("a**")],
    ["/a*", segment("a*")],
    ["/{a", segment("{a")],
    ["/{}", segment("{}")],
    ["/{1a}", segment("{1a}")],
    ["/{a}b", segment("{a}b")],
    ["/{a}{b}", segment("{a}{b}")],
    ["/***", segment("***")],
  ])("%j: it %s", (text, problem) => {
    expect(parsePattern(text)).toBe(problem);
  });
});

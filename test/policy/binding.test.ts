import { describe, expect, test } from "vitest";
import { looseForm, readPath } from "../../src/check/path.ts";
import { agrees, type Belonging, type Binding, parseBinding } from "../../src/policy/binding.ts";
import { matchesPattern, parsePattern } from "../../src/policy/pattern.ts";

const TENANT =
  '"{name}" of a segment of the path, "*" for any, or 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit';
const OWNER =
  '"user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -, all or the end of which may be ' +
  '"{name}" of a segment of the path';

describe("a binding is read:", () => {
  const names = [undefined, "t", undefined, "p", "p"];
  test.each<[string, Belonging, string, Binding]>([
    ["a tenant", "tenant", "acme", { literal: "acme", segment: undefined }],
    ["any tenant", "tenant", "*", { literal: "*", segment: undefined }],
    ["the tenant in a segment", "tenant", "{t}", { literal: "", segment: 1 }],
    ["an owner", "owner", "user/Alice", { literal: "user/Alice", segment: undefined }],
    ["the user in a segment", "owner", "user/{t}", { literal: "user/", segment: 1 }],
    ["the service in a segment", "owner", "service/{t}", { literal: "service/", segment: 1 }],
    ["the project in a segment", "owner", "project/{t}", { literal: "project/", segment: 1 }],
    ["an owner whose name has a beginning", "owner", "project/p-{t}", { literal: "project/p-", segment: 1 }],
    [
      "a beginning as long as leaves room for one character",
      "owner",
      `user/${"u".repeat(127)}{t}`,
      { literal: `user/${"u".repeat(127)}`, segment: 1 },
    ],
  ])("%s", (_title, belonging, text, binding) => {
    expect(parseBinding(belonging, text, names)).toEqual(binding);
  });

  test.each<[string, Belonging, string, string]>([
    ["a tenant in capitals", "tenant", "Acme", TENANT],
    ["an empty tenant", "tenant", "", TENANT],
    ["a tenant of 64 characters", "tenant", "t".repeat(64), TENANT],
    ["a tenant with a beginning", "tenant", "a{t}", TENANT],
    ["a tenant with an end", "tenant", "{t}a", TENANT],
    ["any owner", "owner", "*", OWNER],
    ["any tenant that begins so", "tenant", "a*", TENANT],
    ["a name that is none", "tenant", "{1t}", TENANT],
    ["no name", "tenant", "{}", TENANT],
    ["a name without its end", "tenant", "{t", TENANT],
    ["two names", "tenant", "{t}{t}", TENANT],
    ["a name in double braces", "tenant", "{{t}}", TENANT],
    ["a line end behind a name", "tenant", "{t}\n", TENANT],
    ["an owner for a tenant", "tenant", "user/{t}", TENANT],
    ["a name for the whole owner", "owner", "{t}", OWNER],
    ["a name for the kind", "owner", "{t}/a", OWNER],
    ["another kind", "owner", "team/{t}", OWNER],
    ["a kind in capitals", "owner", "Project/{t}", OWNER],
    ["a kind without a slash", "owner", "project{t}", OWNER],
    ["a kind alone", "owner", "project/", OWNER],
    ["something behind the name", "owner", "project/{t}x", OWNER],
    ["a name amid two slashes", "owner", "project/a/{t}", OWNER],
    ["two names", "owner", "project/{t}{t}", OWNER],
    ["a space", "owner", "project/a {t}", OWNER],
    ["a beginning that leaves no room", "owner", `user/${"u".repeat(128)}{t}`, OWNER],
  ])("not %s", (_title, belonging, text, words) => {
    expect(parseBinding(belonging, text, names)).toBe(`"${text}" must be ${words}`);
    expect(parseBinding(belonging, text, undefined)).toBe(`"${text}" must be ${words}`);
  });

  test.each<[string, Belonging, string, string]>([
    ["that the path does not have", "tenant", "{x}", '"{x}" must be a segment of the path'],
    ["in another case", "owner", "user/{T}", '"{T}" must be a segment of the path'],
    ["that the path has twice", "tenant", "{p}", '"{p}" stands 2 times in the path; it must stand once'],
    [
      "that the path has twice, of an owner",
      "owner",
      "user/{p}",
      '"{p}" stands 2 times in the path; it must stand once',
    ],
  ])("not with a name %s", (_title, belonging, text, problem) => {
    expect(parseBinding(belonging, text, names)).toBe(problem);
  });

  test("by its form only, where the path has no names to look at", () => {
    expect(parseBinding("tenant", "{x}", undefined)).toEqual({ literal: "", segment: undefined });
  });
});

/** Whether a key agrees with the binding of a route that matches a request. */
function opens(pattern: string, belonging: Belonging, template: string, target: string, value: string | undefined) {
  const forms = parsePattern(pattern);
  const path = readPath(target, true);
  if (typeof forms === "string" || path === undefined) throw new Error("both are unambiguous");
  if (!matchesPattern(forms.loose, looseForm(path))) throw new Error("the route matches");
  const binding = parseBinding(belonging, template, forms.names);
  if (typeof binding === "string") throw new Error(binding);
  return agrees(binding, path, value);
}

describe("with the tenant in a segment, a key", () => {
  test.each<[string, string, string, string | undefined, boolean]>([
    ["of that tenant opens", "/t/{t}/**", "/t/acme/x", "acme", true],
    ["of another does not", "/t/{t}/**", "/t/acme/x", "acmf", false],
    ["of a tenant one character longer does not", "/t/{t}/**", "/t/acme/x", "acmee", false],
    ["of a tenant one character shorter does not", "/t/{t}/**", "/t/acme/x", "acm", false],
    ["of none does not", "/t/{t}/**", "/t/acme/x", undefined, false],
    ["of an empty one does not", "/t/{t}/**", "/t/acme/x", "", false],
    ["opens the path that ends there", "/t/{t}/**", "/t/acme", "acme", true],
    ["opens no path that ends one character later", "/t/{t}/**", "/t/acmee", "acme", false],
    ["opens no path that ends one character earlier", "/t/{t}/**", "/t/acm", "acme", false],
    ["opens with a trailing slash", "/t/{t}", "/t/acme/", "acme", true],
    ["opens without one", "/t/{t}/", "/t/acme", "acme", true],
    ["opens with a query", "/t/{t}", "/t/acme?t=other", "acme", true],
    ["opens where the route is in another case", "/t/{t}/**", "/T/acme/x", "acme", true],
    ["does not where the tenant is", "/t/{t}/**", "/T/ACME/x", "acme", false],
    ["does not where one letter of it is", "/t/{t}/**", "/t/acmE/x", "acme", false],
    ["opens where a letter of it is escaped", "/t/{t}/**", "/t/%61cme/x", "acme", true],
    ["does not where a letter in another case is", "/t/{t}/**", "/t/%41cme/x", "acme", false],
    ["opens where its hyphen is escaped", "/t/{t}/**", "/t/a%2Dcme/x", "a-cme", true],
    ["opens where its underscore is escaped", "/t/{t}/**", "/t/a%5fcme/x", "a_cme", true],
    ["opens where letters before it are escaped", "/t/{t}/**", "/%74/acme/x", "acme", true],
    ["does not by a later segment", "/t/{t}/**", "/t/other/acme", "acme", false],
    ["does not by an earlier segment", "/{a}/{t}", "/acme/other", "acme", false],
    ["opens by the first segment", "/{t}/**", "/acme/x", "acme", true],
    ["opens by the last of several", "/a/{b}/*/{t}", "/a/b/c/acme", "acme", true],
    ["does not by the one before the last", "/a/{b}/*/{t}", "/a/b/acme/c", "acme", false],
  ])("%s: %s, %s", (_title, pattern, target, tenant, is) => {
    expect(opens(pattern, "tenant", "{t}", target, tenant)).toBe(is);
  });
});

describe("with the owner in a segment, a key", () => {
  test.each<[string, string, string, string | undefined, boolean]>([
    ["of that project opens", "project/{p}", "/p/apollo/x", "project/apollo", true],
    ["of another does not", "project/{p}", "/p/apollo/x", "project/apolla", false],
    ["of one that is a part of it does not", "project/{p}", "/p/apollo/x", "project/apoll", false],
    ["of one that it is a part of does not", "project/{p}", "/p/apollo/x", "project/apolloo", false],
    ["of a user of that name does not", "project/{p}", "/p/apollo/x", "user/apollo", false],
    ["of a service of that name does not, though it is as long", "project/{p}", "/p/apollo/x", "service/apollo", false],
    ["of none does not", "project/{p}", "/p/apollo/x", undefined, false],
    ["of the kind alone does not", "project/{p}", "/p/apollo/x", "project/", false],
    ["in another case does not", "project/{p}", "/p/Apollo/x", "project/apollo", false],
    ["in the same case opens", "project/{p}", "/p/Apollo/x", "project/Apollo", true],
    ["with a dot opens", "user/{p}", "/p/a.b/x", "user/a.b", true],
    ["with an at sign opens", "user/{p}", "/p/a@b.test/x", "user/a@b.test", true],
    ["with an escaped at sign does not", "user/{p}", "/p/a%40b.test/x", "user/a@b.test", false],
    ["with a plus sign opens", "user/{p}", "/p/a+b/x", "user/a+b", true],
    ["with an escaped plus sign does not", "user/{p}", "/p/a%2Bb/x", "user/a+b", false],
    ["with a plus sign for which the path has a space does not", "user/{p}", "/p/a%20b/x", "user/a+b", false],
    ["whose name has a beginning opens", "project/p-{p}", "/p/7/x", "project/p-7", true],
    ["whose name has a beginning does not by the whole of it", "project/p-{p}", "/p/p-7/x", "project/p-7", false],
    ["whose name lacks the beginning does not", "project/p-{p}", "/p/7/x", "project/7", false],
    ["whose name is the beginning alone does not", "project/p-{p}", "/p/7/x", "project/p-", false],
  ])("%s: %s, %s", (_title, template, target, owner, is) => {
    expect(opens("/p/{p}/**", "owner", template, target, owner)).toBe(is);
  });
});

describe("with one tenant or owner, whatever the path, a key", () => {
  test.each<[string, Belonging, string, string | undefined, boolean]>([
    ["of that tenant opens", "tenant", "acme", "acme", true],
    ["of another does not", "tenant", "acme", "acmf", false],
    ["of a tenant one character longer does not", "tenant", "acme", "acmee", false],
    ["of no tenant does not", "tenant", "acme", undefined, false],
    ["of that owner opens", "owner", "service/ci", "service/ci", true],
    ["of another owner does not", "owner", "service/ci", "service/cj", false],
    ["of no owner does not", "owner", "service/ci", undefined, false],
  ])("%s", (_title, belonging, template, value, is) => {
    expect(opens("/p/{p}/**", belonging, template, "/p/acme", value)).toBe(is);
  });
});

test("a path with fewer segments than a binding looks for agrees with nothing", () => {
  const third: Binding = { literal: "", segment: 2 };
  expect(agrees(third, "/a/b/acme", "acme")).toBe(true);
  expect(agrees(third, "/a/acme", "acme")).toBe(false);
  expect(agrees(third, "/acme", "acme")).toBe(false);
  expect(agrees(third, "/", "acme")).toBe(false);
  expect(agrees(third, "/a", "")).toBe(false);
  expect(agrees({ literal: "project/", segment: 2 }, "/a", "project/")).toBe(false);
});

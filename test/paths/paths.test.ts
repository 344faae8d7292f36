import { describe, expect, test } from "vitest";
import { tryOut } from "../support/campaign.ts";
import { pathCases } from "./cases.ts";
import { canonical, READINGS } from "./readings.ts";
import { createVerdicts } from "./verdicts.ts";
import { createEscapes, type World } from "./world.ts";

const NONE: World = { routes: [], defaultAccess: "authenticated", paths: [], scopes: ["a"], tenant: "acme" };

describe("paths that were found to lead out of what they were allowed for", () => {
  const me: World["routes"] = [{ path: "/users/me", access: "authenticated" }];
  const users: World["routes"] = [{ path: "/users/*", scopes: ["b"] }];
  const slashed: World["routes"] = [{ path: "/*/", scopes: ["b"] }];
  const tenants: World["routes"] = [{ path: "/{t}/**", tenant: "{t}" }];

  test.each<[string, World, string, string, string]>([
    [
      "a name that another route's differs from in case",
      { ...NONE, routes: [...me, ...users] },
      "/users/ME",
      "insufficient_scope",
      "/users/me",
    ],
    [
      "a trailing slash that a later route names",
      { ...NONE, routes: [...tenants, ...slashed] },
      "/acme/",
      "allowed",
      "/acme/x",
    ],
    [
      "a trailing slash that an earlier route names",
      { ...NONE, routes: [...slashed, ...tenants] },
      "/acme",
      "insufficient_scope",
      "/acme/x",
    ],
  ])("%s", (_title, world, target, reason, twin) => {
    const verdicts = createVerdicts(world);
    expect(verdicts.decide(target).reason).toBe(reason);
    expect(verdicts.decide(twin).reason).toBe("allowed");
  });
});

describe("a path that leads out of what it was allowed for is seen:", () => {
  const world: World = { ...NONE, routes: [{ path: "/v1/Admin", scopes: ["b"] }], paths: ["/v1", "=/v2/x"] };
  const escapeOf = createEscapes(world);

  test.each([
    ["below the key's path", "/v1/x", undefined],
    ["beside it", "/v1x", "as it is"],
    ["the key's one path", "/v2/x", undefined],
    ["below the key's one path", "/v2/x/y", "as it is"],
    ["dots", "/v1/../x", "as it is, then RFC 3986 dot removal"],
    ["escaped dots", "/v1/%2e%2e/x", "as it is, then Envoy's normalisation"],
    ["dots escaped twice", "/v1/%252e%252e/x", "escapes decoded, then Envoy's normalisation"],
    ["dots behind a parameter", "/v1/..;/x", "parameters stripped, then RFC 3986 dot removal"],
    ["backslashes", "/v1/..\\..\\x", "as it is, then Envoy's normalisation"],
    ["overlong dots", "/v1/%c0%ae%c0%ae/x", "overlong UTF-8 decoded, then RFC 3986 dot removal"],
    ["the guarded path in another case", "/v1/admin", "as it is, then ASCII case folded"],
    ["the guarded path with a slash", "/v1/Admin/", "as it is, then trailing slash dropped"],
    ["the guarded path with a parameter", "/v1/Admin;x", "as it is, then parameters stripped"],
    ["the guarded path before a NUL", "/v1/Admin%00x", "as it is, then cut at NUL"],
    ["the guarded path behind two slashes", "/v1//Admin", "as it is, then slashes merged"],
    ["the guarded path with a letter escaped", "/v1/%41dmin", "as it is"],
    ["the guarded path in another case with a letter escaped", "/v1/A%44min", "as it is, then ASCII case folded"],
    ["a path near the guarded one", "/v1/Admins", undefined],
  ])("%s", (_title, path, reading) => {
    expect(escapeOf(path, true)?.split(" gives ")[0]).toBe(reading);
  });
});

test("what is the same by RFC 3986 is compared as the same", () => {
  expect(["/%61%2e%7e", "/%c3%a9%3a", "/a%2"].map(canonical)).toEqual(["/a.~", "/%C3%A9%3A", "/a%2"]);
  expect(new Set(READINGS.map(({ name }) => name)).size).toBe(READINGS.length);
});

test("no reading of an allowed path leads out of what it was allowed for", () => {
  let allowed = 0;
  const judged = ({ world, targets }: { world: World; targets: readonly string[] }) => {
    const verdicts = createVerdicts(world);
    for (const target of targets) {
      const { allowed: lets, record } = { record: undefined, ...verdicts.decide(target) };
      if (!lets) continue;
      allowed++;
      expect(verdicts.escapeOf(target, record !== undefined)).toBeUndefined();
    }
  };
  tryOut("paths", pathCases, judged, {
    seed: 1,
    count: 1_000,
    untilMs: Number.POSITIVE_INFINITY,
    command: "npm run paths --",
  });
  expect(allowed).toBeGreaterThan(1_000);
});

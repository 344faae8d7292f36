import fc from "fast-check";
import type { Access, RouteConfig } from "../../src/policy/config.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import type { World } from "./world.ts";

/** A world, and requests that are made there. */
export interface PathCase {
  readonly world: World;
  readonly targets: readonly string[];
}

/** How many requests are made in each world: making one costs as much as some dozens of requests. */
const TARGETS = 25;

/** Few and alike, so that what is asked for is often near what is allowed. */
const segment = fc.constantFrom(
  "v1",
  "admin",
  "Admin",
  "me",
  "acme",
  "a:b",
  "a%3Ab",
  "caf%C3%A9",
  "x~y",
  "V1",
  "v",
  "a!b",
);
const segments = fc.array(segment, { minLength: 1, maxLength: 3 });
const plain = segments.map((parts) => `/${parts.join("/")}`);

const pattern = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: segment }, { arbitrary: fc.constantFrom("*", "{x}"), weight: 1 }), {
      maxLength: 3,
    }),
    fc.constantFrom("", "", "/**", "/"),
  )
  .map(([parts, end]) => `${parts.map((part) => `/${part}`).join("")}${end}` || "/");
const route: fc.Arbitrary<RouteConfig> = fc.oneof(
  fc.record({ path: pattern, access: fc.constantFrom<Access>("public", "deny", "authenticated") }),
  fc.record({ path: pattern, scopes: fc.constantFrom(["a"], ["b"], ["a", "b"]) }),
  fc.record({
    path: segments.map((parts) => `/${parts.slice(1).join("/")}/{t}/**`.replace("//", "/")),
    tenant: fc.constant("{t}"),
  }),
);

const world: fc.Arbitrary<World> = fc.record({
  routes: fc.array(route, { maxLength: 5 }).map(soundOnes),
  defaultAccess: fc.constantFrom<Access>("deny", "authenticated", "authenticated", "public"),
  paths: fc.array(
    fc.oneof(
      plain,
      plain.map((path) => `=${path}`),
      fc.constant("/"),
    ),
    { maxLength: 2 },
  ),
  scopes: fc.subarray(["a", "b"]),
  tenant: fc.constantFrom("acme", "me"),
});

/** What is put into a path: all that some upstream may take for something else, and harmless neighbours of it. */
const TOKENS = [
  ..."/ /. /.. /./ /../ // \\ ; ;x=y ? # % ! . .. ~ , : @ = & + * {x}".split(" "),
  ..."%2f %2F %5c %5C %2e %2E%2E %00 %0a %20 %7f %25 %252e %252f %3b %3B %3f %23 %41 %61 %76 %7E %3a %3A".split(" "),
  ..."%c0%ae %c0%af %c3%a9 %C3%A9 %e2%82%ac %ef%bc%8f %ff %c3 %zz %2 %u002e ..; .; ..%2f ..%5c ..%00/ %2e%2e/ /..;/".split(
    " ",
  ),
  ..."/admin /ADMIN /me /v1 /acme x X /".split(" "),
  " ",
  "\t",
  "\0",
  "\x7f",
  "\xe9",
];

/** What befalls a path. `at` is a place in it, from 0 to 1. */
type Change =
  | { readonly kind: "insert" | "append" | "in front"; readonly token: string; readonly at: number }
  | { readonly kind: "escape" | "case" | "remove"; readonly at: number };

const at = fc.double({ min: 0, max: 1, noNaN: true });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom("insert", "append", "append", "in front"), token: fc.constantFrom(...TOKENS), at }),
  fc.record({ kind: fc.constantFrom("escape", "case", "remove"), at }),
);

/** Paths near those that a world speaks of, most of them nearly allowed. */
function targetsOf({ routes, paths }: World): fc.Arbitrary<readonly string[]> {
  const known = [
    ...routes.map(
      ({ path }) =>
        path
          .replace(/\/\*\*$/, "")
          .replace(/\*|\{x\}/g, "v1")
          .replace("{t}", "acme") || "/",
    ),
    ...paths.map((path) => path.replace("=", "")),
  ];
  const base =
    known.length === 0
      ? plain
      : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, { arbitrary: plain, weight: 1 });
  const target = fc
    .tuple(base, fc.array(change, { maxLength: 3 }))
    .map(([path, changes]) => changes.reduce(changed, path));
  return fc.array(target, { minLength: 1, maxLength: TARGETS, size: "max" });
}

/** Cases of which most are a world with some dozens of requests. */
export const pathCases: fc.Arbitrary<PathCase> = world.chain((world) =>
  targetsOf(world).map((targets) => ({ world, targets })),
);

/** The same requests for one world. */
export function casesIn(world: World): fc.Arbitrary<PathCase> {
  return targetsOf(world).map((targets) => ({ world, targets }));
}

function changed(path: string, change: Change): string {
  const place = Math.floor(change.at * path.length);
  const [before, here, after] = [path.slice(0, place), path.slice(place, place + 1), path.slice(place + 1)];
  switch (change.kind) {
    case "insert":
      return before + change.token + here + after;
    case "append":
      return path + change.token;
    case "in front":
      return change.token + path;
    case "remove":
      return before + after;
    case "case":
      return before + (here === here.toLowerCase() ? here.toUpperCase() : here.toLowerCase()) + after;
    case "escape":
      return here === "" ? path : `${before}%${here.charCodeAt(0).toString(16).padStart(2, "0")}${after}`;
  }
}

/** Without the routes that a configuration could not have beside those before them. */
function soundOnes(routes: readonly RouteConfig[]): readonly RouteConfig[] {
  const kept: RouteConfig[] = [];
  for (const one of routes) if ("policy" in compilePolicy({ routes: [...kept, one] })) kept.push(one);
  return kept;
}

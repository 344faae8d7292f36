import type { Access, RouteConfig } from "../../src/policy/config.ts";
import { canonical, READINGS, type Reading } from "./readings.ts";

/** What may be configured: routes, and the key that is presented. */
export interface World {
  readonly routes: readonly RouteConfig[];
  readonly defaultAccess: Access;
  /** As a key has them: `/v1` and below, `=/v1` itself. */
  readonly paths: readonly string[];
  readonly scopes: readonly string[];
  readonly tenant: string;
}

/** What an upstream that reads paths in one way has in mind when it reads the configuration in the same way. */
interface ReadWorld {
  readonly routes: readonly {
    readonly segments: readonly string[];
    readonly isOpen: boolean;
    readonly route: RouteConfig;
  }[];
  readonly paths: readonly string[];
}

/**
 * Makes the judge of what a world let through: it tells by which reading an allowed path leaves what it was allowed for, or
 * undefined. It shares no code with Keyward. `withKey` says whether the key was what opened.
 */
export function createEscapes(world: World): (path: string, withKey: boolean) => string | undefined {
  const worlds = READINGS.map((reading) => ({ reading, read: readWorld(world, reading) }));
  return (path, withKey) => {
    for (const { reading, read } of worlds) {
      const seen = canonical(reading.read(path));
      const where = `${reading.name} gives ${JSON.stringify(seen)}`;
      if (withKey && !reading.foldsCase && read.paths.length > 0 && !read.paths.some((opened) => lies(seen, opened))) {
        return `${where}, which is not under the key's paths`;
      }
      const found = read.routes.find((route) => matches(route, seen.split("/")));
      if (found !== undefined && !lets(found.route, seen, withKey, world)) {
        return `${where}, which falls under the route ${found.route.path}`;
      }
    }
    return undefined;
  };
}

function readWorld({ routes, paths }: World, reading: Reading): ReadWorld {
  const read = (path: string) => canonical(reading.read(path));
  return {
    routes: routes.map((route) => {
      const isOpen = route.path.endsWith("/**");
      const literal = (isOpen ? route.path.slice(0, -3) : route.path).replace(/\{[a-z]+\}/g, ANY);
      return { segments: literal === "" ? [""] : read(literal).split("/"), isOpen, route };
    }),
    paths: paths.map((path) => (path.startsWith("=") ? `=${read(path.slice(1))}` : read(path))),
  };
}

/** Stands for any one segment; no reading changes it. */
const ANY = "*";

function matches({ segments, isOpen }: ReadWorld["routes"][number], seen: readonly string[]): boolean {
  if (isOpen ? seen.length < segments.length : seen.length !== segments.length) return false;
  return segments.every((segment, index) => (segment === ANY ? seen[index] !== "" : seen[index] === segment));
}

function lets(route: RouteConfig, seen: string, withKey: boolean, { scopes, tenant }: World): boolean {
  if (route.access === "public") return true;
  if (route.access === "deny" || !withKey) return false;
  const named = route.path.split("/").indexOf("{t}");
  if (route.tenant !== undefined && seen.split("/")[named] !== tenant) return false;
  return route.scopes === undefined || route.scopes.some((scope) => scopes.includes(scope));
}

function lies(path: string, opened: string): boolean {
  if (opened.startsWith("=")) return path === opened.slice(1);
  return opened === "/" || path === opened || path.startsWith(`${opened}/`);
}

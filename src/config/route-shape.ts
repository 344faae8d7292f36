import { z } from "zod";
import type { RouteConfig } from "../policy/config.ts";
import { nearest } from "./nearest.ts";
import { readText, show } from "./reading.ts";

/** What is wrong in `routes`, and where: `[0, "path"]`, or `[]` for the list itself. */
interface RouteFault {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

const text = z.unknown().transform((raw, context) => {
  const reading = readText(raw);
  if ("value" in reading) return reading.value;
  context.addIssue(reading.problem);
  return z.NEVER;
});

const route = z.strictObject(
  {
    path: text,
    host: text.optional(),
    methods: z.array(text, "must be a list").optional(),
    access: z.enum(["public", "authenticated", "deny"], "must be one of public, authenticated, deny").optional(),
    scopes: z.array(text, "must be a list").optional(),
    match: z.enum(["any", "all"], "must be one of any, all").optional(),
  } satisfies Record<keyof RouteConfig, z.ZodType>,
  "must be a mapping",
);

const routes = z.array(route, "must be a list");

/** The keys of a route. */
export const ROUTE_KEYS: readonly string[] = Object.keys(route.shape);

/** Reads `routes` as YAML gives it. Judges the shape only: what the entries mean is the business of `policy/policy.ts`. */
export function readRoutes(raw: unknown): { readonly value: RouteConfig[] } | { readonly faults: RouteFault[] } {
  const result = routes.safeParse(raw);
  return result.success
    ? { value: result.data }
    : { faults: result.error.issues.flatMap((issue) => toFaults(issue, raw)) };
}

/** Names a place in `routes` as programmers would: `routes[0].methods[1]`. */
export function routePlace(at: readonly PropertyKey[]): string {
  return `routes${at.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("")}`;
}

function toFaults(issue: z.core.$ZodIssue, raw: unknown): RouteFault[] {
  const at = issue.path;
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(at, key));
  const value = at.reduce<unknown>((inside, step) => Object(inside)[step], raw);
  if (value === undefined) return [{ at, message: `${routePlace(at.slice(0, -1))} has no ${String(at.at(-1))}` }];
  return [{ at, message: `${routePlace(at)} ${show(value)} ${issue.message}` }];
}

function unknownKey(at: readonly PropertyKey[], key: string): RouteFault {
  const meant = nearest(key, ROUTE_KEYS);
  const hint = meant === undefined ? "" : ` (did you mean ${show(meant)}?)`;
  return { at: [...at, key], message: `unknown key ${show(key)} in ${routePlace(at)}${hint}` };
}

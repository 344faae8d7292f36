import { type Decision, decide, decidePublic } from "../../src/check/decide.ts";
import { readPath } from "../../src/check/path.ts";
import { findPlace } from "../../src/check/place.ts";
import { judging, policyOf } from "../support/policies.ts";
import { recordOf } from "../support/sample-keys.ts";
import { createEscapes, type World } from "./world.ts";

/** What Keyward says of requests in a world, and whether it should not have. */
export interface Verdicts {
  /** The decision about `GET target` with the world's key. */
  decide(target: string): Decision;
  /** By which reading a target that was allowed leaves what it was allowed for; undefined where none does. */
  escapeOf(target: string, withKey: boolean): string | undefined;
}

/** Judges requests in a world by the functions that judge traffic. */
export function createVerdicts(world: World): Verdicts {
  const policy = policyOf(world.routes, world.defaultAccess);
  const { scopes, tenant } = world;
  const paths = world.paths.map((path) =>
    path.startsWith("=") ? `=${readPath(path.slice(1), true)}` : `${readPath(path, true)}`,
  );
  const record = recordOf({ scopes, tenant, paths });
  const escapes = createEscapes(world);
  return {
    decide(target) {
      const place = findPlace(
        { method: "GET", authority: "api.test", target, bytesKnown: true, extensions: [] },
        policy,
      );
      if ("allowed" in place) return place;
      if (place.rule.access === "public") return decidePublic(place.rule);
      return decide({ method: "GET", path: place.path, address: undefined }, place.rule, record, 0, judging);
    },
    escapeOf: (target, withKey) => escapes(target.split("?", 1)[0] ?? "", withKey),
  };
}

import { expect, test } from "vitest";
import { createRouteSlots, ROUTE_SLOTS, routeNames } from "../../../src/observe/metrics/route-slots.ts";

const routes = (...paths: string[]) => ({ routes: paths.map((path) => ({ path })) });
const fixed = ["none", "other", "default_access", "context_extensions"];

test("a path that stands twice has one slot", () => {
  expect(routeNames(routes("/a", "/b", "/a"))).toEqual([...fixed, "/a", "/b"]);
});

test("a reload gives new routes a slot behind those that are there, and takes none away", () => {
  const before = routeNames(routes("/a", "/b"));
  expect(routeNames(routes("/c", "/b"), before)).toEqual([...fixed, "/a", "/b", "/c"]);
});

test("the hundredth route has a slot, and the next counts as other", () => {
  const paths = Array.from({ length: 101 }, (_, index) => `/${index}`);
  const names = routeNames(routes(...paths));
  const slotOf = createRouteSlots(names);
  expect([names.length, slotOf("/99"), slotOf("/100")]).toEqual([ROUTE_SLOTS, 103, 1]);
});

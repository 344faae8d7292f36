import { describe, expect, test } from "vitest";
import { DIALECT_NAMES, DIALECTS, dialectOf } from "../../../src/check/http/dialects.ts";

describe("the dialect is told by the URL alone:", () => {
  test.each([
    ["/check/nginx", "nginx"],
    ["/check/nginx?a=b", "nginx"],
    ["/check/nginx/", undefined],
    ["/check/nginxx", undefined],
    ["/check/Nginx", undefined],
    ["/check/ngin%78", undefined],
    ["//check/nginx", undefined],
    ["http://x/check/nginx", undefined],
    ["/check/ingress-nginx", "ingress-nginx"],
    ["/check/traefik", "traefik"],
    ["/check/caddy?page=2", "caddy"],
    ["/check/haproxy", "haproxy"],
    ["/check/envoy/", "envoy"],
    ["/check/envoy/v1?a", "envoy"],
    ["/check/envoy/../nginx", "envoy"],
    ["/check/envoy//check/nginx", "envoy"],
    ["/check/envoy", undefined],
    ["/check/envoy?a=/", undefined],
    ["/check/envoyer/v1", undefined],
    ["/check/", undefined],
    ["/check", undefined],
    ["/", undefined],
    ["*", undefined],
    ["", undefined],
  ])("%s is %s", (url, name) => {
    expect(dialectOf(url)).toBe(name);
  });

  test("no two of them have the same", () => {
    const paths = DIALECT_NAMES.map((name) => DIALECTS[name].path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

import { describe, expect, test } from "vitest";
import { DIALECTS, type DialectName } from "../../../src/check/http/dialects.ts";
import { createHttpDecode, type HttpRequest } from "../../../src/check/http/request.ts";
import { askAbout } from "./support/asking.ts";

const watched = { credentials: ["authorization", "x-api-key"], identity: [] };

function read(request: HttpRequest, trustedHops = 0) {
  return createHttpDecode(DIALECTS[request.dialect], watched, trustedHops)(request);
}

/** A request with some of its headers replaced: no value takes one out, two are one that came twice. */
function changed(dialect: DialectName, changes: Readonly<Record<string, readonly string[]>>): HttpRequest {
  const request = askAbout(dialect, { method: "POST", target: "/v1/orders?page=2" });
  const rest = Array.from({ length: request.rawHeaders.length / 2 }, (_, index) =>
    request.rawHeaders.slice(2 * index, 2 * index + 2),
  ).filter(([name = ""]) => !(name.toLowerCase() in changes));
  const added = Object.entries(changes).flatMap(([name, values]) => values.map((value) => [name.toUpperCase(), value]));
  return { ...request, rawHeaders: [...rest, ...added].flat() };
}

const EVERY = Object.keys(DIALECTS) as DialectName[];
const TOLD = EVERY.filter((name) => name !== "envoy");

describe.each(EVERY)("in the dialect of %s", (dialect) => {
  test("the original request is what is read", () => {
    const headers = [
      ["Authorization", "Bearer a"],
      ["X-Api-Key", "b"],
      ["authorization", "Bearer \xe9"],
      ["User-Agent", "first"],
      ["user-agent", "last"],
      ["cookie", "nobody's business"],
    ] as const;
    const request = askAbout(dialect, { method: "POST", target: "/v1/orders?page=2", host: "a.test:8443", headers });
    expect(read(request)).toEqual({
      method: "POST",
      target: "/v1/orders?page=2",
      authority: "a.test:8443",
      bytesKnown: dialect !== "envoy",
      headersFiltered: dialect === "envoy",
      sourceAddress: "192.0.2.7",
      userAgent: "last",
      headers: [
        { name: "authorization", value: "Bearer a" },
        { name: "x-api-key", value: "b" },
        { name: "authorization", value: "Bearer \xe9" },
      ],
      identitySpellings: [],
      extensions: [],
    });
  });
});

describe.each(TOLD)("in the dialect of %s", (dialect) => {
  const { original } = DIALECTS[dialect];
  const [method, uri] = [original.method, original.uri];
  const base = dialect === "ingress-nginx" ? "https://api.test" : "";

  test("as it is told, it is a request", () => {
    expect(read(changed(dialect, {}))).toMatchObject({ method: "POST", target: "/v1/orders?page=2" });
    expect(read(changed(dialect, { [method]: ["PUT"], [uri]: [`${base}/v2`] }))).toMatchObject({
      method: "PUT",
      target: "/v2",
    });
  });

  test.each([
    ["no method", { [method]: [] }],
    ["an empty method", { [method]: [""] }],
    ["two methods", { [method]: ["POST", "GET"] }],
    ["the same method twice", { [method]: ["POST", "POST"] }],
    ["no URI", { [uri]: [] }],
    ["an empty URI", { [uri]: [""] }],
    ["two URIs", { [uri]: [`${base}/v1`, `${base}/v2`] }],
    ["the same URI twice", { [uri]: [`${base}/v1`, `${base}/v1`] }],
    ["two URIs in one header", { [uri]: [`${base}/v1,${base}/v2`] }],
    ["a second URI in the query of the first", { [uri]: [`${base}/v1?a,${base}/v2`] }],
    ["a second URI of another host", { [uri]: [`${base}/v1,https://b.test/v2`] }],
  ])("%s is no request", (_, changes) => {
    expect(read(changed(dialect, changes))).toBeUndefined();
  });

  test("a comma alone belongs to the path", () => {
    expect(read(changed(dialect, { [uri]: [`${base}/v1,2?a,b`] }))).toMatchObject({ target: "/v1,2?a,b" });
  });

  test("headers of the other dialects tell nothing", () => {
    const others = TOLD.flatMap((name) => Object.values(DIALECTS[name].original))
      .filter((name) => !(Object.values(original) as string[]).includes(name))
      .map((name) => [name, ["/open"]]);
    expect(read(changed(dialect, Object.fromEntries(others)))).toEqual(read(changed(dialect, {})));
  });
});

describe("the host", () => {
  test.each(TOLD.filter((name) => name !== "ingress-nginx"))("of %s that is not told is empty", (dialect) => {
    expect(read(changed(dialect, { "x-forwarded-host": [] }))).toMatchObject({ authority: "" });
  });

  test.each(TOLD.filter((name) => name !== "ingress-nginx"))("of %s that is told twice is none", (dialect) => {
    expect(read(changed(dialect, { "x-forwarded-host": ["a.test", "a.test"] }))).toMatchObject({
      authority: undefined,
    });
  });

  test("of Envoy that is told twice is none, and one that is not is empty", () => {
    expect(read(changed("envoy", { host: ["a.test", "b.test"] }))).toMatchObject({ authority: undefined });
    expect(read(changed("envoy", { host: [] }))).toMatchObject({ authority: "" });
  });

  test.each([
    ["http://a.test:80/v1", "a.test:80", "/v1"],
    ["https://a.test/", "a.test", "/"],
    ["https:///v1", "", "/v1"],
    ["https://a.test//v1", "a.test", "//v1"],
    ["https://user@a.test/v1", "user@a.test", "/v1"],
  ])("of ingress-nginx stands in %s", (url, authority, target) => {
    expect(read(changed("ingress-nginx", { "x-original-url": [url] }))).toMatchObject({ authority, target });
  });

  test.each(["/v1", "//a.test/v1", "ftp://a.test/v1", "HTTPS://a.test/v1", "https://a.test", "https:/a.test/v1"])(
    "of ingress-nginx stands not in %s",
    (url) => {
      expect(read(changed("ingress-nginx", { "x-original-url": [url] }))).toBeUndefined();
    },
  );
});

describe("the client's address", () => {
  const address = (dialect: DialectName, values: readonly string[], trustedHops = 0) => {
    const name = DIALECTS[dialect].address === "x-real-ip" ? "x-real-ip" : "x-forwarded-for";
    return read(changed(dialect, { [name]: values }), trustedHops)?.sourceAddress;
  };

  test.each(["nginx", "ingress-nginx", "haproxy"] as const)("of %s is the only X-Real-IP", (dialect) => {
    expect(address(dialect, ["192.0.2.1"])).toBe("192.0.2.1");
    expect(address(dialect, ["192.0.2.1", "192.0.2.1"])).toBeUndefined();
    expect(address(dialect, [])).toBeUndefined();
  });

  test.each(["traefik", "caddy"] as const)("of %s is the last of X-Forwarded-For", (dialect) => {
    expect(address(dialect, ["192.0.2.1"])).toBe("192.0.2.1");
    expect(address(dialect, ["198.51.100.1, 192.0.2.1"])).toBe("192.0.2.1");
    expect(address(dialect, ["198.51.100.1", "192.0.2.1"])).toBe("192.0.2.1");
    expect(address(dialect, ["198.51.100.1, 192.0.2.1"], 1)).toBe("192.0.2.1");
    expect(address(dialect, [])).toBeUndefined();
  });

  test.each<[values: readonly string[], hops: number, expected: string | undefined]>([
    [["192.0.2.1"], 0, "192.0.2.1"],
    [["198.51.100.1,192.0.2.1"], 0, "192.0.2.1"],
    [["198.51.100.1, 192.0.2.1"], 1, "198.51.100.1"],
    [["203.0.113.1, 198.51.100.1, 192.0.2.1"], 1, "198.51.100.1"],
    [["198.51.100.1", "192.0.2.1"], 1, "198.51.100.1"],
    [["192.0.2.1"], 1, undefined],
    [[], 0, undefined],
  ])("of Envoy in %j with %i trusted hops is %s", (values, hops, expected) => {
    expect(address("envoy", values, hops)).toBe(expected);
  });
});

describe("in the dialect of ingress-nginx, with the URL https://a.test:8443/v1/orders", () => {
  const url = "https://a.test:8443/v1/orders";

  test.each<[title: string, chosen: readonly string[], authority: string | undefined]>([
    ["no chosen host leaves the one of the URL", [], "a.test:8443"],
    ["the same one leaves it", ["a.test"], "a.test:8443"],
    ["the same one in another case leaves it", ["A.test."], "a.test:8443"],
    ["one that is a letter longer is ambiguous", ["a.testx"], undefined],
    ["another one is ambiguous", ["admin.test"], undefined],
    ["an empty one is ambiguous", [""], undefined],
    ["the same one twice is ambiguous", ["a.test", "a.test"], undefined],
  ])("%s", (_, chosen, authority) => {
    const request = changed("ingress-nginx", { "x-original-url": [url], "x-original-host": chosen });
    expect(read(request)).toMatchObject({ authority, target: "/v1/orders" });
  });
});

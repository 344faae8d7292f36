import { describe, expect, test } from "vitest";
import { field } from "../support/wire-bytes.ts";
import { mayPass } from "./judge.ts";
import { type Read, readAsProtobuf } from "./reading.ts";
import { KEY } from "./requests.ts";
import { TARGETS } from "./targets.ts";

const { secret } = KEY;
const GOOD: Read = {
  method: "GET",
  path: "/v1/orders",
  host: "api.test",
  headers: [["authorization", `Bearer ${secret}`]],
  isRaw: true,
  bytesKnown: true,
  extensions: {},
  address: KEY.address,
};

describe("the judge, who shares no code with what it judges, lets through", () => {
  test.each<[string, Partial<Read>, "public" | "key" | undefined]>([
    ["the key where it opens", {}, "key"],
    ["nothing below a route that it lacks a scope for", { path: "/v1/admin" }, undefined],
    ["nothing there in another spelling", { path: "/v1/%61DMIN/" }, undefined],
    ["the key beside it", { path: "/v1/admins" }, "key"],
    ["everybody where it is open", { path: "/%6fpen?x", headers: [] }, "public"],
    ["nobody beside it", { path: "/open/", headers: [] }, undefined],
    ["nothing where it is closed", { path: "/Closed/x" }, undefined],
    ["nothing with dots", { path: "/v1/../open" }, undefined],
    ["nothing with what Envoy may have replaced", { path: "/v1/x!", bytesKnown: false }, undefined],
    ["an exclamation mark that the client sent", { path: "/v1/x!" }, "key"],
    ["nothing with two hosts", { host: "a,b" }, undefined],
    ["nothing with a path that is told twice", { headers: [...GOOD.headers, [":Path", "/open"]] }, undefined],
    ["nothing without the key", { headers: [] }, undefined],
    ["nothing with the key twice", { headers: [["x-api-key", `${secret},${secret}`]] }, undefined],
    ["nothing with another beside it", { headers: [...GOOD.headers, ["cookie", "api_key=x"]] }, undefined],
    ["the key in two places", { headers: [...GOOD.headers, ["cookie", `a=b; api_key=${secret}`]] }, "key"],
    ["the key in the query", { path: `/v1?api%5Fkey=${secret}`, headers: [] }, "key"],
    ["nothing from elsewhere", { address: "10.0.0.70" }, undefined],
    [
      "what a route opens by its own entry",
      { path: "/closed", headers: [], extensions: { "keyward.access": "public" } },
      "public",
    ],
    [
      "nothing where such an entry asks for more",
      { extensions: { "keyward.scopes": "a b", "keyward.match": "all" } },
      undefined,
    ],
    ["nothing where one is unknown", { extensions: { "Keyward.access": "authenticated" } }, undefined],
  ])("%s", (_title, more, expected) => {
    expect(mayPass({ ...GOOD, ...more }, KEY)).toBe(expected);
  });
});

describe("protobuf-es reads", () => {
  const http = (...parts: number[][]) => Uint8Array.from(field(1, field(4, field(2, ...parts))));
  test.each<[string, Uint8Array, Partial<Read> | undefined]>([
    ["the last of two", http(field(2, "GET"), field(2, "PUT")), { method: "PUT" }],
    [
      "two messages as one",
      Uint8Array.from([http(field(2, "GET")), http(field(4, "/"))].flatMap((one) => [...one])),
      { method: "GET", path: "/" },
    ],
    ["bytes that are no UTF-8 one by one", http(field(4, "/\xff\xc0\xae")), { path: "/\xff\xc0\xae" }],
    ["an entry without a name", http(field(3, field(2, "x"))), { headers: [["", "x"]] }],
    ["an entry without a value", http(field(3, field(1, "x"))), { headers: [["x", ""]] }],
    [
      "the raw value before the other",
      http(field(13, field(1, field(3, "r"), field(2, "v")))),
      { headers: [["", "r"]] },
    ],
    ["the map of raw headers before the other", http(field(13), field(3, field(1, "x"))), { headers: [], isRaw: true }],
    ["nothing where a length is too long", http([0x12, 0x05, 0x47]), undefined],
    ["nothing without an HTTP request", Uint8Array.from(field(1, field(4))), undefined],
  ])("%s", (_title, bytes, expected) => {
    const read = readAsProtobuf(bytes);
    expect(read === undefined).toBe(expected === undefined);
    expect({ ...read }).toMatchObject({ ...expected });
  });
});

test.each([...TARGETS])("nothing is found in a short run of %s", (_name, attempt) => {
  attempt({ seed: 1, count: 1_500, untilMs: Number.POSITIVE_INFINITY, command: "npm run fuzz --" });
});

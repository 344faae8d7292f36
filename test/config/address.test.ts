import { describe, expect, test } from "vitest";
import { formatAddress, isLocal, readAddress } from "../../src/config/address.ts";

const HOST = "must begin with an IPv4 address, an IPv6 address in brackets, or a host name";
const FORM = "must be host:port, unix:PATH or off";

describe("an address", () => {
  test.each([
    ["127.0.0.1:9000", { kind: "tcp", host: "127.0.0.1", port: 9000 }],
    ["0.0.0.0:0", { kind: "tcp", host: "0.0.0.0", port: 0 }],
    ["[::1]:65535", { kind: "tcp", host: "::1", port: 65535 }],
    ["keyward.example.com:80", { kind: "tcp", host: "keyward.example.com", port: 80 }],
    ["unix:/run/keyward.sock", { kind: "unix", path: "/run/keyward.sock" }],
    ["unix:./data/k.sock", { kind: "unix", path: "./data/k.sock" }],
    ["off", undefined],
  ])("%s is read, and written as it was", (text, value) => {
    expect(readAddress(text)).toEqual({ value });
    expect(formatAddress(value as Parameters<typeof formatAddress>[0])).toBe(text);
  });

  test.each([
    ["9000", FORM],
    [":9000", FORM],
    ["127.0.0.1", FORM],
    ["127.0.0.1:", FORM],
    ["127.0.0.1:+1", FORM],
    ["::1:9000", FORM],
    ["http://localhost:9000", FORM],
    ["UNIX:/run/k.sock", FORM],
    ["Off", FORM],
    ["", FORM],
    ["127.0.0.1:65536", "must have a port >= 0 and <= 65535"],
    ["300.0.0.1:9000", HOST],
    ["127.1:9000", HOST],
    ["[127.0.0.1]:9000", HOST],
    ["[::g]:9000", HOST],
    ["-a.example:9000", HOST],
    ["a_b:9000", HOST],
    ["a b:9000", HOST],
    ["unix:", "must name a path after unix:"],
    ["unix:/a\0b", "must name a path after unix:"],
  ])("%j is refused", (text, problem) => {
    expect(readAddress(text)).toEqual({ problem });
  });

  test("a path of 107 bytes is the longest that a socket can have", () => {
    expect(readAddress(`unix:/${"a".repeat(106)}`)).toEqual({ value: { kind: "unix", path: `/${"a".repeat(106)}` } });
    expect(readAddress(`unix:/${"ä".repeat(54)}`)).toEqual({
      problem: "must be a path of at most 107 bytes, this one has 109",
    });
  });
});

test.each([
  ["127.0.0.1:1", true],
  ["127.255.0.9:1", true],
  ["128.0.0.1:1", false],
  ["[::1]:1", true],
  ["[::2]:1", false],
  ["[::ffff:127.0.0.1]:1", true],
  ["localhost:1", true],
  ["LOCALHOST:1", true],
  ["localhost.example.com:1", false],
  ["0.0.0.0:1", false],
  ["[::]:1", false],
  ["unix:/run/k.sock", true],
])("%s is local: %s", (text, local) => {
  expect(readAddress(text)).toSatisfy((reading) => isLocal(reading.value) === local);
});

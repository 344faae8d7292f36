import { describe, expect, test } from "vitest";
import { networksOf } from "../../src/store/networks.ts";

test("no network is no limit", () => {
  expect(networksOf([])).toBeUndefined();
});

test.each<[title: string, cidrs: string[], inside: string, outside: string]>([
  ["the first address of a network", ["10.0.0.0/8"], "10.0.0.0", "9.255.255.255"],
  ["the last address of a network", ["10.0.0.0/8"], "10.255.255.255", "11.0.0.0"],
  ["a prefix within a byte", ["192.0.2.64/26"], "192.0.2.127", "192.0.2.128"],
  ["a network of one address", ["192.0.2.1/32"], "192.0.2.1", "192.0.2.2"],
  ["an address alone", ["192.0.2.1"], "192.0.2.1", "192.0.2.0"],
  ["every IPv4 address", ["0.0.0.0/0"], "203.0.113.9", "2001:db8::1"],
  ["the last address of an IPv6 network", ["2001:db8::/32"], "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
  ["a prefix within a group", ["2001:db8::/33"], "2001:db8:7fff::1", "2001:db8:8000::1"],
  ["an IPv6 address alone", ["2001:db8::1"], "2001:db8::1", "2001:db8::2"],
  ["another spelling of an IPv6 address", ["2001:db8::1"], "2001:0DB8:0:0:0:0:0:0001", "2001:0DB8:0:0:0:0:0:0011"],
  ["an IPv6 network in upper case", ["2001:DB8::/32"], "2001:db8::1", "2001:db9::1"],
  ["an IPv6 address with a zone", ["fe80::/10"], "fe80::1%eth0", "fec0::1%eth0"],
  ["an IPv4-mapped peer in an IPv4 network", ["10.0.0.0/8"], "::ffff:10.1.2.3", "::ffff:11.1.2.3"],
  ["an IPv4-mapped peer in hexadecimal", ["10.0.0.0/8"], "::ffff:a01:203", "::ffff:b01:203"],
  ["an IPv4-mapped peer, and not the same digits elsewhere", ["10.0.0.0/8"], "::ffff:10.1.2.3", "::10.1.2.3"],
  ["an IPv4 peer in a mapped network", ["::ffff:10.0.0.0/104"], "10.1.2.3", "11.1.2.3"],
  ["an IPv4 peer that is a mapped address", ["::ffff:192.0.2.1"], "192.0.2.1", "192.0.2.2"],
  ["the second of two networks", ["10.0.0.0/8", "192.168.0.0/16"], "192.168.1.1", "192.169.1.1"],
  ["the other family of two", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", "2002:db8::1"],
])("%s is inside, its neighbour outside", (_, cidrs, inside, outside) => {
  const networks = networksOf(cidrs);
  expect([networks?.has(inside), networks?.has(outside)]).toEqual([true, false]);
});

describe("what is no address is in no network, not even in that of all", () => {
  test.each([
    "",
    "unknown",
    "10.0.0.1:443",
    "[::1]",
    "10.0.0",
    "10.0.0.1.",
    "10.0.0.1/8",
    " 10.0.0.1",
    "010.0.0.1",
    "0x0a.0.0.1",
    "167772161",
    "::1::1",
    "::ffff:10.0.0",
    "1:2:3:4:5:6:7:8:9",
    "10.0.0.1, 10.0.0.2",
  ])("%j", (text) => {
    expect(networksOf(["0.0.0.0/0", "::/0"])?.has(text)).toBe(false);
  });
});

test.each(["", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "2001:db8::/129", "::ffff:010.0.0.1"])(
  "what was never a network is refused rather than passed over: %j",
  (cidr) => {
    expect(() => networksOf(["10.0.0.0/8", cidr])).toThrow(RangeError);
  },
);

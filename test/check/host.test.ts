import { expect, test } from "vitest";
import { readHost } from "../../src/check/host.ts";

test.each([
  ["no host", "", ""],
  ["a name", "api.example.com", "api.example.com"],
  ["capitals", "API.Example.COM", "api.example.com"],
  ["a port", "api.example.com:8443", "api.example.com"],
  ["a colon without port", "api.example.com:", "api.example.com"],
  ["one trailing dot", "api.example.com.", "api.example.com"],
  ["one trailing dot before a port", "api.example.com.:443", "api.example.com"],
  ["a hyphen and an underscore", "my-host_1", "my-host_1"],
  ["an IPv4 address", "10.0.0.1:80", "10.0.0.1"],
  ["an IPv6 literal", "[2001:DB8::1]", "[2001:db8::1]"],
  ["an IPv6 literal with a port", "[::1]:8443", "[::1]"],
])("an authority with %s is read", (_title, authority, host) => {
  expect(readHost(authority)).toBe(host);
});

test.each([
  ["a comma", "a.test,b.test"],
  ["two trailing dots", "a.test.."],
  ["an empty label", "a..test"],
  ["a dot in front", ".a.test"],
  ["a name in brackets", "[a.test]"],
  ["user information", "user@a.test"],
  ["user information that looks like a port", "a.test:80@b.test"],
  ["an escape", "a%2etest"],
  ["a space", "a test"],
  ["a space in front", " a.test"],
  ["a space behind", "a.test "],
  ["a tab", "a.test\t"],
  ["a line end", "a.test\r\n"],
  ["a NUL", "a.test\0"],
  ["a slash", "a.test/b"],
  ["a backslash", "a.test\\b"],
  ["a question mark", "a.test?b"],
  ["a fragment", "a.test#b"],
  ["a semicolon", "a.test;b"],
  ["an asterisk", "*.test"],
  ["a letter that is not ASCII", "caf\xe9.test"],
  ["a port only", ":80"],
  ["a colon only", ":"],
  ["two ports", "a.test:80:81"],
  ["a port that is not a number", "a.test:80a"],
  ["a port with a sign", "a.test:-1"],
  ["a dot after its port", "a.test:80."],
  ["an IPv6 address without brackets", "::1"],
  ["a bracket that is not closed", "[::1"],
  ["a bracket that is not opened", "::1]"],
  ["a bracket within", "a[::1]"],
  ["a name after a literal", "[::1]a.test"],
  ["a dot after a literal", "[::1]."],
  ["two literals", "[::1][::1]"],
  ["a zone in a literal", "[fe80::1%25eth0]"],
])("an authority with %s is refused", (_title, authority) => {
  expect(readHost(authority)).toBeUndefined();
});

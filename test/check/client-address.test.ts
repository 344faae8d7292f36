import { describe, expect, test } from "vitest";
import { clientAddress } from "../../src/check/client-address.ts";

/** A request over a connection from 10.0.0.9, with these headers of one name. */
function requestWith(name: string, values: readonly string[]) {
  return { headers: values.map((value) => ({ name, value })), sourceAddress: "10.0.0.9" };
}

test.each<[string, number, string[], string | undefined]>([
  ["no proxy: the connection's own address", 0, ["192.0.2.1, 192.0.2.2"], "10.0.0.9"],
  ["one proxy: the last but one", 1, ["192.0.2.1, 192.0.2.2"], "192.0.2.1"],
  ["one proxy: not what stands further left", 1, ["203.0.113.7, 192.0.2.1, 192.0.2.2"], "192.0.2.1"],
  ["two proxies: the last but two", 2, ["203.0.113.7, 192.0.2.1, 192.0.2.2, 192.0.2.3"], "192.0.2.1"],
  ["without spaces", 1, ["192.0.2.1,192.0.2.2"], "192.0.2.1"],
  ["over two headers, as if they were one", 1, ["192.0.2.1", "192.0.2.2"], "192.0.2.1"],
  ["IPv6", 1, ["2001:db8::1, 192.0.2.2"], "2001:db8::1"],
  ["fewer entries than proxies: unknown", 1, ["192.0.2.1"], undefined],
  ["fewer entries than two proxies: unknown", 2, ["192.0.2.1, 192.0.2.2"], undefined],
  ["with a space that HTTP does not know: not repaired", 1, ["\xa0192.0.2.1, 192.0.2.2"], "\xa0192.0.2.1"],
  ["with tabs", 1, ["192.0.2.0,\t192.0.2.1\t,192.0.2.2"], "192.0.2.1"],
  ["no header: unknown", 1, [], undefined],
])("the client's address behind %s", (_title, trustedHops, values, address) => {
  expect(clientAddress(requestWith("x-forwarded-for", values), trustedHops)).toBe(address);
});

describe("the client's address is unknown", () => {
  test("where the connection has none", () => {
    expect(clientAddress({ headers: [], sourceAddress: undefined }, 0)).toBeUndefined();
  });

  test("where another header than the proxies' tells it", () => {
    expect(clientAddress(requestWith("x-real-ip", ["192.0.2.1, 192.0.2.2"]), 1)).toBeUndefined();
    expect(clientAddress(requestWith("x-forwarded-for", ["192.0.2.1, 192.0.2.2"]), 1)).toBe("192.0.2.1");
  });
});

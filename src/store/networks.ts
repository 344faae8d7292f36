import { BlockList, isIP } from "node:net";
import type { AddressSet } from "../key/record.ts";

/** The set of addresses of a list such as `10.0.0.0/8`, `2001:db8::1`; undefined for an empty list. */
export function networksOf(cidrs: readonly string[]): AddressSet | undefined {
  if (cidrs.length === 0) return undefined;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", prefix] = cidr.split("/");
    const family = familyOf(address);
    if (family === undefined) throw new RangeError(`${cidr} is not a network`);
    list.addSubnet(address, prefix === undefined ? MAX_PREFIX[family] : Number(prefix), family);
  }
  return {
    // An IPv4-mapped IPv6 address is found in the IPv4 networks too.
    has(address) {
      const family = familyOf(address);
      return family !== undefined && list.check(address, family);
    },
  };
}

const MAX_PREFIX = { ipv4: 32, ipv6: 128 } as const;

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : undefined;
}

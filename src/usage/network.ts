import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** A client's address, and the network that it is counted under. */
export interface Place {
  /** Without a zone, and an IPv4-mapped address as the IPv4 address that it is. */
  readonly address: string;
  /** The /24 of an IPv4 address, the /48 of an IPv6 address: about what one site has. */
  readonly network: string;
}

/** The place of an address; undefined for a text that is no IPv4 or IPv6 address, which may be anything. */
export function placeOf(text: string): Place | undefined {
  const [address = ""] = text.split("%", 1);
  const version = isIP(address);
  if (version === 0) return undefined;
  if (version === 4) return ipv4Place(address);
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return ipv4Place(parsed.toIPv4Address().toString());
  const site = parsed.parts.slice(0, 3);
  while (site.at(-1) === 0) site.pop();
  return { address, network: `${site.map((group) => group.toString(16)).join(":")}::/48` };
}

function ipv4Place(address: string): Place {
  return { address, network: `${address.slice(0, address.lastIndexOf("."))}.0/24` };
}

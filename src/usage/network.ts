import { isIP } from "node:net";

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
  const groups = groupsOf(address);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped)
    return ipv4Place([groups[6] ?? 0, groups[7] ?? 0].flatMap((group) => [group >> 8, group & 255]).join("."));
  const site = groups.slice(0, 3);
  while (site.at(-1) === 0) site.pop();
  return { address, network: `${site.map((group) => group.toString(16)).join(":")}::/48` };
}

function ipv4Place(address: string): Place {
  return { address, network: `${address.slice(0, address.lastIndexOf("."))}.0/24` };
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2). */
function groupsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const before = readGroups(head);
  if (tail === undefined) return before;
  const after = readGroups(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function readGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

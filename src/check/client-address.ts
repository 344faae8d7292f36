import type { AccessRequest } from "./access-request.ts";
import { trim } from "./white-space.ts";

/** The header to which each proxy appends the address it was called from. */
export const FORWARDED_FOR = "x-forwarded-for";

/**
 * The address of the client. Without trusted hops it is the connection's own. With N of them, the proxies in front of
 * Envoy, it is the (N+1)th from the right of X-Forwarded-For, to which Envoy has appended its peer
 * (`use_remote_address: true`). Where there are fewer, the address is unknown: what stands further left is the client's
 * own word.
 */
export function clientAddress(
  request: Pick<AccessRequest, "headers" | "sourceAddress">,
  trustedHops: number,
): string | undefined {
  if (trustedHops === 0) return request.sourceAddress;
  const hops: string[] = [];
  for (const { name, value } of request.headers) if (name === FORWARDED_FOR) hops.push(...value.split(","));
  const hop = hops.at(-1 - trustedHops);
  return hop && trim(hop);
}

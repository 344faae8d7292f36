import { type Address, formatAddress } from "../../config/address.ts";
import { StartError } from "../start-error.ts";
import { probeAddress } from "./listen.ts";

/**
 * Makes sure that an address which several check threads are about to share is this program's alone, and returns it with a
 * port where 0 was asked for. Throws StartError where it cannot be shared or had.
 */
export async function shareAddress(
  address: Address,
  setting: string,
  { database, checkThreads }: { readonly database: string; readonly checkThreads: number },
): Promise<Address> {
  if (address.kind === "unix") {
    throw new StartError(
      `check_threads ${checkThreads} must be 1 where ${setting} is ${formatAddress(address)}: threads share a TCP port, but not a Unix socket`,
    );
  }
  // With SQLite, which this thread needs for nothing else.
  const { lockPort } = await import("./port-lock.ts");
  // First the lock, where the port is known: or two programs that start together find each other's probe, and both end.
  const { port } = address;
  if (port !== 0) lockPort(database, address, setting);
  const probed = await probeAddress(address, setting);
  if (port === 0 && probed.kind === "tcp") lockPort(database, probed, setting);
  return probed;
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { type CheckClient, createCheckClient } from "./check-client.ts";
import { type Keyward, type KeywardOptions, startKeyward } from "./keyward.ts";

/** A Keyward that is ended after the test. */
export async function keywardForThisTest(options: KeywardOptions = {}): Promise<Keyward> {
  const keyward = await startKeyward(options);
  onTestFinished(() => keyward.stop());
  return keyward;
}

/** A connection to the data plane at an address, closed after the test. */
export function checkClientForThisTest(address: string, channel?: ChannelCredentials): CheckClient {
  const client = createCheckClient(address, channel);
  onTestFinished(() => client.close());
  return client;
}

/** A new folder that is gone after the test. */
export function folderForThisTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyward-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

import { expect } from "vitest";
import { adminCall, createKey, type JsonKey } from "../../support/admin-call.ts";
import type { CheckClient } from "../../support/check-client.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../../support/for-this-test.ts";
import type { Keyward, KeywardOptions } from "../../support/keyward.ts";
import { verifiedTrail } from "./whole-store.ts";

interface Key {
  readonly id: string;
  readonly secret: string;
}

/** A Keyward with keys, to which a fault is about to happen. */
export interface World {
  keyward: Keyward;
  /** Its checks, and after a restart those of the new one. */
  client: CheckClient;
  /** One that checks have met, so that it is in the cache. */
  readonly known: Key;
  /** Those that no check has met yet; each is taken once. */
  readonly unread: Key[];
  readonly revoked: Key;
  /** The ids of all keys whose making was acknowledged. */
  readonly acknowledged: string[];
  /** Starts it again in the same folder. */
  restart(): Promise<void>;
}

/** What can be seen from outside. */
export interface Facts {
  readonly known: string;
  readonly unread: string;
  readonly revoked: string;
  /** What comes of making a key: "made", or the store's code where it is refused. */
  readonly change: string;
  readonly health: string;
  readonly ready: number;
}

/** All as it should be. */
export const SOUND: Facts = {
  known: "allowed",
  unread: "allowed",
  revoked: "key_revoked",
  change: "made",
  health: "SERVING",
  ready: 200,
};

/** How many keys are there that no check has met: more than a row looks at. */
const UNREAD_KEYS = 4;

export async function createWorld(options: KeywardOptions = {}): Promise<World> {
  const folder = folderForThisTest();
  const keyward = await keywardForThisTest({ folder, ...options });
  const make = () => createKey(keyward.adminSocket);
  const [known, revoked] = [await make(), await make()];
  const unread: Key[] = [];
  for (let count = 0; count < UNREAD_KEYS; count++) unread.push(await make());
  await adminCall(keyward.adminSocket, "KeyService/RevokeKey", { key: revoked.id });
  const client = checkClientForThisTest(keyward.authz);
  expect((await client.present(known.secret)).reason).toBe("allowed");
  const acknowledged = [known, revoked, ...unread].map(({ id }) => id);
  const world: World = {
    ...{ keyward, client, known, unread, revoked, acknowledged },
    async restart() {
      world.keyward = await keywardForThisTest({ folder, ...options });
      world.client = checkClientForThisTest(world.keyward.authz);
    },
  };
  return world;
}

/** Looks at everything once. */
export async function factsOf(world: World): Promise<Facts> {
  const { keyward, client, known, revoked } = world;
  const reasonOf = async (key: Key | undefined) => (await client.present(key?.secret ?? "")).reason;
  return {
    known: await reasonOf(known),
    unread: await reasonOf(world.unread.shift()),
    revoked: await reasonOf(revoked),
    change: await change(world),
    health: await client.health(),
    ready: (await fetch(`http://${keyward.ops}/readyz`)).status,
  };
}

/** Tries to make a key, and notes down what was acknowledged. */
async function change({ keyward, acknowledged }: World): Promise<string> {
  try {
    const { id } = await createKey(keyward.adminSocket);
    acknowledged.push(id);
    return "made";
  } catch (error) {
    return /the store cannot do this now \((\w+)\)/.exec(String(error))?.[1] ?? String(error);
  }
}

/** Ends the program; then all that was acknowledged has to be there, the revocation too, in a file that is whole. */
export async function expectNothingLost(world: World): Promise<void> {
  const states = new Map<string, string>();
  const { keys } = await adminCall<{ keys: JsonKey[] }>(world.keyward.adminSocket, "KeyService/ListKeys", {
    pageSize: 1000,
  });
  for (const { id, state } of keys) states.set(id, state);
  expect(world.acknowledged.filter((id) => !states.has(id))).toEqual([]);
  expect(states.get(world.revoked.id)).toBe("KEY_STATE_REVOKED");
  await world.keyward.stop();
  expect(verifiedTrail(world.keyward.database).broken).toBe(undefined);
}

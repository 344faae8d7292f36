import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { adminCall, createKey, type JsonKey } from "../support/admin-call.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";

const CHANGES = 200;
const CALLERS = 4;

/** What the callers were told, by secret. */
type Acknowledged = Map<string, "active" | "revoked">;

/**
 * Creates and revokes keys from several callers at once, until so many changes are acknowledged; then `stop` is called
 * with others in progress. Resolves once every caller has met the end.
 */
async function changeUntil(
  socket: string,
  { acknowledged, ids, limit }: { acknowledged: Acknowledged; ids: Map<string, string>; limit: number },
  stop: () => Promise<void>,
): Promise<void> {
  let changes = 0;
  let stopped: Promise<void> | undefined;
  const acknowledge = (secret: string, state: "active" | "revoked") => {
    acknowledged.set(secret, state);
    changes++;
    if (changes === limit) stopped = stop();
  };
  const caller = async () => {
    for (;;) {
      const { id, secret } = await createKey(socket);
      ids.set(secret, id);
      acknowledge(secret, "active");
      await adminCall(socket, "KeyService/RevokeKey", { key: id });
      acknowledge(secret, "revoked");
    }
  };
  // A caller never ends but by an error: the program is gone.
  await Promise.allSettled(Array.from({ length: CALLERS }, caller));
  await stopped;
}

test("a program that is killed among changes has kept every one that it had acknowledged", async () => {
  const folder = folderForThisTest();
  const acknowledged: Acknowledged = new Map();
  const ids = new Map<string, string>();
  const limits = [1, 2, 13, 34, 50, 100].map((limit) => limit + Math.floor(Math.random() * 10));
  expect(limits.reduce((sum, limit) => sum + limit)).toBeGreaterThanOrEqual(CHANGES);

  for (const limit of limits) {
    const keyward = await keywardForThisTest({ folder });
    await changeUntil(keyward.adminSocket, { acknowledged, ids, limit }, () => keyward.kill());

    const again = await keywardForThisTest({ folder });
    const states = new Map<string, string>();
    for (let pageToken = ""; ; ) {
      const page = await adminCall<{ keys?: JsonKey[]; nextPageToken?: string }>(
        again.adminSocket,
        "KeyService/ListKeys",
        {
          pageSize: 1000,
          pageToken,
        },
      );
      for (const { id, state } of page.keys ?? []) states.set(id, state);
      pageToken = page.nextPageToken ?? "";
      if (pageToken === "") break;
    }
    // A revocation whose answer was lost may stand or not; one that was acknowledged stands.
    const lost = [...acknowledged].filter(([secret, state]) => {
      const found = states.get(ids.get(secret) ?? "");
      return state === "revoked" ? found !== "KEY_STATE_REVOKED" : found === undefined;
    });
    expect(lost, `after a kill at ${limit} changes`).toEqual([]);

    const client = checkClientForThisTest(again.authz);
    const verdicts = await Promise.all(
      [...acknowledged].map(async ([secret, state]) => [state, (await client.present(secret)).reason].join(" ")),
    );
    const allowed = ["revoked key_revoked", "active allowed", "active key_revoked"];
    expect(verdicts.filter((verdict) => !allowed.includes(verdict))).toEqual([]);
    await again.stop();

    const db = new Database(`${folder}/keyward.db`, { readonly: true });
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  }
  expect([...acknowledged.values()].filter((state) => state === "revoked").length).toBeGreaterThan(CHANGES / 4);
});

import type { Client } from "@connectrpc/connect";
import type { ImportedKey, ImportKeysResponse, KeyService } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { sizeOf } from "./message.ts";

/** The bound of the API. */
const MAX_KEYS = 1_000;

/** Half of what a request may have: a key that is larger than the other half is refused anyway. */
const MAX_BYTES = 512 * 1024;

/** Making all keys is one transaction, for which the answer waits. */
const COMMIT_TIMEOUT_MS = 5 * 60 * 1000;

/** Sends keys to the API, and in the end has them made. */
export interface Sender {
  /** Sends when enough has come together. */
  add(key: ImportedKey): Promise<void>;
  /** Makes the keys that were added, or with `validateOnly` none. */
  commit(validateOnly: boolean): Promise<ImportKeysResponse>;
  /** Gives the import up, if it was begun. */
  drop(): Promise<void>;
}

/** `onAnswer` is told of each answer. */
export function createSender(
  client: Client<typeof KeyService>,
  source: string,
  onAnswer: (answer: ImportKeysResponse) => void,
): Sender {
  let importId = "";
  let keys: ImportedKey[] = [];
  let bytes = 0;

  const send = async (commit: boolean, validateOnly: boolean) => {
    const options = commit ? { timeoutMs: COMMIT_TIMEOUT_MS } : {};
    const answer = await client.importKeys({ importId, source, keys, commit, validateOnly }, options);
    ({ importId } = answer);
    keys = [];
    bytes = 0;
    onAnswer(answer);
    return answer;
  };

  return {
    async add(key) {
      const size = sizeOf(key);
      if (keys.length === MAX_KEYS || (keys.length > 0 && bytes + size > MAX_BYTES)) await send(false, false);
      keys.push(key);
      bytes += size;
    },
    commit: (validateOnly) => send(true, validateOnly),
    async drop() {
      keys = [];
      if (importId === "") return;
      try {
        await client.importKeys({ importId, source, commit: true, validateOnly: true });
      } catch {
        // What went wrong before is told; what is left there is given up after a while.
      }
    },
  };
}

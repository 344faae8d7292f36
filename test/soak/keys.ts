import { adminCall, createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { secretOf } from "../support/sample-keys.ts";
import { asMessage } from "./check-caller.ts";

/** A key, and what was seen of it. */
export interface SoakKey {
  readonly id: string;
  readonly message: Buffer;
  /** Checks that were allowed. */
  uses: number;
  /** Checks without an answer as yet. */
  open: number;
}

/** A check to be made: of a key, or of a secret that none has. */
export interface Question {
  readonly key: SoakKey | undefined;
  readonly message: Buffer;
  readonly expected: "allowed" | "key_revoked" | "unknown_key";
}

/** How many checks in a hundred present a key that was revoked, and as many one that never was. */
const REFUSED_SHARE = 0.01;

const UNKNOWN: Question = { key: undefined, message: messageOf(secretOf("never made")), expected: "unknown_key" };

/** The keys of a run: as many are open all the time as at its beginning. */
export class SoakKeys {
  readonly every: SoakKey[] = [];
  readonly #socket: string;
  readonly #open: SoakKey[] = [];
  readonly #revoked: SoakKey[] = [];

  constructor(socket: string) {
    this.#socket = socket;
  }

  async create(): Promise<void> {
    const { id, secret } = await createKey(this.#socket, { owner: "service/soak", scopes: ["orders:read"] });
    const key = { id, message: messageOf(secret), uses: 0, open: 0 };
    this.every.push(key);
    this.#open.push(key);
  }

  /** Revokes the oldest key, once no check of it is on its way whose answer could be either. */
  async revoke(): Promise<void> {
    const key = this.#open.shift();
    if (key === undefined) return;
    while (key.open > 0) await new Promise(setImmediate);
    const { enforced } = await adminCall(this.#socket, "KeyService/RevokeKey", { key: key.id });
    if (enforced === true) this.#revoked.push(key);
  }

  question(): Question {
    const draw = Math.random();
    if (draw < REFUSED_SHARE) return UNKNOWN;
    const revoked = draw < 2 * REFUSED_SHARE;
    const keys = revoked ? this.#revoked : this.#open;
    const key = keys[Math.floor(Math.random() * keys.length)];
    if (key === undefined) return UNKNOWN;
    return { key, message: key.message, expected: revoked ? "key_revoked" : "allowed" };
  }

  /** Tells, in words, of which keys other numbers of uses are written down than were seen. */
  async wrongUses(): Promise<string[]> {
    const written = new Map<string, number>();
    for (let pageToken = ""; ; ) {
      const page = await adminCall<Page>(this.#socket, "KeyService/ListKeys", { pageSize: 1000, pageToken });
      for (const { id, useCount = "0" } of page.keys) written.set(id, Number(useCount));
      if (!page.nextPageToken) break;
      pageToken = page.nextPageToken;
    }
    return this.every
      .filter(({ id, uses }) => written.get(id) !== uses)
      .map(({ id, uses }) => `${id} was allowed ${uses} times, and is told to have been ${written.get(id)} times`);
  }
}

interface Page {
  readonly keys: readonly { readonly id: string; readonly useCount?: string }[];
  readonly nextPageToken?: string;
}

function messageOf(secret: string): Buffer {
  return asMessage(
    describeRequest({
      path: "/v1/orders",
      headers: [["authorization", `Bearer ${secret}`]],
      sourceAddress: "203.0.113.7",
    }),
  );
}

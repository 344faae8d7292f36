/** Tells how long something has stayed as it is, by looking at it now and then: nothing needs to be done in between. */
export class Deadline {
  #token: number | undefined;
  #sinceMs = 0;

  /** How long ago `token` was first seen without a change between, in milliseconds; undefined is nothing to wait for. */
  age(token: number | undefined, nowMs: number): number {
    if (token === undefined || token !== this.#token) {
      this.#token = token;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs;
  }
}

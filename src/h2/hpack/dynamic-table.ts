import type { Field } from "../field.ts";

/** What an entry counts for at least (RFC 7541 §4.1), which bounds how many there can be. */
const MIN_ENTRY_BYTES = 32;

/** The fields that one peer has told to remember, the newest first (RFC 7541 §2.3.2, §4). */
export class DynamicTable {
  readonly #capacityBytes: number;
  /** A ring: the oldest stands at `#oldest`. Its length is a power of two, so that a mask wraps around. */
  readonly #ring: (Field | undefined)[];
  readonly #mask: number;
  #oldest = 0;
  #count = 0;
  #bytes = 0;
  #maxBytes: number;

  /** `capacityBytes` is SETTINGS_HEADER_TABLE_SIZE: how large the peer may make it. */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.#maxBytes = capacityBytes;
    let slots = 1;
    while (slots * MIN_ENTRY_BYTES < capacityBytes) slots *= 2;
    this.#ring = new Array(slots).fill(undefined);
    this.#mask = slots - 1;
  }

  /** The field `age` entries before the newest, 0, or undefined where there are not so many. */
  get(age: number): Field | undefined {
    if (age >= this.#count) return undefined;
    return this.#ring[(this.#oldest + this.#count - 1 - age) & this.#mask];
  }

  /** Remembers a field. One that is larger than the table empties it and is no error (RFC 7541 §4.4). */
  add(field: Field): void {
    this.#shrinkTo(this.#maxBytes - field.size);
    if (field.size > this.#maxBytes) return;
    this.#ring[(this.#oldest + this.#count) & this.#mask] = field;
    this.#count++;
    this.#bytes += field.size;
  }

  /** Takes another size for the table, and returns false where it is more than the peer may ask for (RFC 7541 §6.3). */
  resize(maxBytes: number): boolean {
    if (maxBytes > this.#capacityBytes) return false;
    this.#maxBytes = maxBytes;
    this.#shrinkTo(maxBytes);
    return true;
  }

  #shrinkTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      this.#bytes -= this.#ring[this.#oldest]?.size ?? 0;
      this.#ring[this.#oldest] = undefined;
      this.#oldest = (this.#oldest + 1) & this.#mask;
      this.#count--;
    }
  }
}

/** Collects what a check thread tells main about single checks, and hands it over in batches. */
export interface Outbox<Item> {
  /** Keeps an item; where there is no room, it is lost, and told so. */
  put(item: Item): void;
  /** Hands over what there is, unless the last batch is still being read. */
  tick(): void;
  /** The last batch was read. */
  taken(): void;
  /** Hands over what there is, whoever reads it. */
  finish(): void;
}

/** Makes an outbox that holds so many items at the most: a reader that stands still costs items, and neither memory nor a check. */
export function createOutbox<Item>(
  maxItems: number,
  send: (items: readonly Item[]) => void,
  lost: () => void,
): Outbox<Item> {
  let items: Item[] = [];
  let inFlight = false;
  const handOver = () => {
    if (items.length === 0) return;
    inFlight = true;
    send(items);
    items = [];
  };
  return {
    put(item) {
      if (items.length >= maxItems) return lost();
      items.push(item);
    },
    tick() {
      if (!inFlight) handOver();
    },
    taken() {
      inFlight = false;
    },
    finish: handOver,
  };
}

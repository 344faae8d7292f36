/**
 * How many are kept. Keys of one kind have the same scopes, paths, tenant and owner, and there are fewer kinds than this;
 * where there are more, some are made twice.
 */
const MOST = 1_000;

/** Longer ones are rare, and would make the bound one of many megabytes. */
const LONGEST = 200;

/**
 * Makes, of equal texts, one and the same thing, which nobody may change: of a hundred thousand cached keys that are alike,
 * each would hold its own copy otherwise. That is a third of what a key takes in memory, and more to read for each check.
 */
export function createShared<Thing>(make: (text: string) => Thing): (text: string) => Thing {
  const made = new Map<string, Thing>();
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const thing = make(text);
    if (text.length > LONGEST) return thing;
    if (made.size >= MOST) made.clear();
    made.set(text, thing);
    return thing;
  };
}

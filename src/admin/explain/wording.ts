/**
 * A text for a terminal: as it is where it is visible ASCII (and the ellipsis of what was left out), else as a JSON text in which everything else is escaped, so
 * that what a client sent moves no cursor.
 */
export function shown(text: string): string {
  if (/^[\x21-\x7e…]([\x20-\x7e…]*[\x21-\x7e…])?$/.test(text)) return text;
  return JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A moment in UTC, to the second; empty where there is none. */
export function timeOf(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Items after each other, or what stands for none. */
export function listed(items: readonly string[], none: string): string {
  return items.length === 0 ? none : items.join(" ");
}

/** A command line to paste into a shell: words that a shell would take apart or read otherwise are quoted. */
export function command(name: string, ...words: readonly string[]): string {
  return ["keyward", name, ...words.map(shellWord)].join(" ");
}

function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

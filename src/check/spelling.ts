/**
 * Every spelling that a back end may take for a header name: `-`, `_` and `.` in each place of a separator. CGI and its
 * heirs fold them together. 3 to the number of separators: 27 for `x-keyward-key-id`.
 */
export function spellingsOf(name: string): readonly string[] {
  let spellings = [""];
  for (const part of name.split(/([-_.])/)) {
    const ways = /^[-_.]$/.test(part) ? ["-", "_", "."] : [part];
    spellings = spellings.flatMap((begun) => ways.map((way) => begun + way));
  }
  return spellings;
}

import type { Allowed } from "./decide.ts";
import { createHeaderWriter } from "./header-options.ts";
import { IDENTITY, type IdentityHeaders, identityOf } from "./identity.ts";
import { type BackwardWriter, piece } from "./writer.ts";

/** The fields of OkHttpResponse that it writes: `headers` and `headers_to_remove`. */
interface IdentityFields {
  readonly headers: number;
  readonly headersToRemove: number;
}

/** Writes which identity headers the upstream gets. */
export type WriteIdentity = (writer: BackwardWriter, allowed: Allowed, spellings: readonly string[]) => void;

/**
 * Makes the writer of identity headers. Every one is either set or removed, and so is every other spelling of it: those
 * that the client sent, and the one with underscores in any case, because `allowed_headers` may hide from us what the
 * upstream will see. Envoy removes after it has set, so nothing that is set may be among them.
 */
export function createIdentityWriter(names: IdentityHeaders, field: IdentityFields): WriteIdentity {
  const headers = IDENTITY.map((what) => createHeaderWriter(field.headers, names[what]));
  const removals = Array.from({ length: 1 << IDENTITY.length }, (_, set) =>
    piece((writer) => {
      for (const name of removedWhere(set, names)) writer.text(field.headersToRemove, name);
    }),
  );
  const known = new Set(removedWhere(0, names));

  return (writer, allowed, spellings) => {
    let set = 0;
    for (let index = IDENTITY.length - 1; index >= 0; index--) {
      const value = identityOf(IDENTITY[index] as (typeof IDENTITY)[number], allowed);
      if (value === undefined) continue;
      headers[index]?.(writer, value);
      set |= 1 << index;
    }
    writer.piece(removals[set] as Uint8Array);
    for (const spelling of spellings) if (!known.has(spelling)) writer.text(field.headersToRemove, spelling);
  };
}

/** What does not go on where the identity headers of a set of bits do: the others, and each as CGI would spell it. */
function removedWhere(set: number, names: IdentityHeaders): string[] {
  const removed = IDENTITY.flatMap((what, index) => {
    const name = names[what];
    return set & (1 << index) ? [name.replaceAll("-", "_")] : [name, name.replaceAll("-", "_")];
  });
  const kept = IDENTITY.filter((_, index) => set & (1 << index)).map((what) => names[what]);
  return [...new Set(removed)].filter((name) => !kept.includes(name));
}

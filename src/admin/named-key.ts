import { Code } from "@connectrpc/connect";
import { isSecret } from "../key/secret.ts";
import { isToken } from "../key/token.ts";
import { secretDigest } from "../store/digest.ts";
import type { KeysAmong } from "../store/keys.ts";
import { MAX_CANDIDATES } from "../store/start.ts";
import type { Caller } from "./caller.ts";
import { apiError } from "./errors.ts";
import { seenBy, sees } from "./tenancy.ts";

/** A record that can be named in a call. */
interface Named {
  readonly id: string;
  readonly start: string;
  readonly name: string;
  readonly tenant: string | undefined;
  readonly owner?: string | undefined;
}

/** The ways in which a store finds such records. */
export interface Finder<Found extends Named> {
  byId(id: string): Found | undefined;
  byDigest(digest: string): Found | undefined;
  /** Some of them, where there are many: what the caller does not see must not take the place of what they do. */
  byStart(text: string, among: KeysAmong): readonly Found[];
}

/**
 * Finds the record that a call names by its id, its start, the first eight characters of its secret, or the secret. What
 * the caller does not see is not there. Throws NOT_FOUND, or FAILED_PRECONDITION with the candidates where a start is not
 * the only one. What was named stands in no error: it may be a secret.
 */
export function findNamed<Found extends Named>(
  name: string,
  finder: Finder<Found>,
  caller: Pick<Caller, "tenant" | "owner" | "within">,
): Found {
  const seen = (found: Found | undefined) => (found !== undefined && sees(caller, found) ? found : undefined);
  const byDigest = (hashing?: "sha512") => seen(finder.byDigest(secretDigest(name, hashing)));
  if (isSecret(name)) return byDigest() ?? notFound();
  // A key that was made elsewhere can look like anything, and be known by either hash.
  const found = seen(finder.byId(name)) ?? byDigest() ?? byDigest("sha512");
  if (found !== undefined) return found;
  if (isToken(name)) return notFound();
  const candidates = finder.byStart(name, seenBy(caller)).filter((found) => sees(caller, found));
  const [first] = candidates;
  if (first === undefined) return notFound();
  if (candidates.length > 1) throw ambiguous(candidates);
  return first;
}

function notFound(): never {
  throw apiError(Code.NotFound, "KEY_NOT_FOUND", "no key answers to that name");
}

function ambiguous(candidates: readonly Named[]) {
  const listed = candidates.slice(0, MAX_CANDIDATES).map(({ id, start, name }) => `${id} (${start}, ${name})`);
  const more = candidates.length > listed.length ? ", and more" : "";
  const metadata = Object.fromEntries(candidates.slice(0, MAX_CANDIDATES).map(({ id, start }) => [id, start]));
  return apiError(
    Code.FailedPrecondition,
    "KEY_NAME_AMBIGUOUS",
    `several keys answer to that name; give the id of one: ${listed.join(", ")}${more}`,
    metadata,
  );
}

import { hash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { isSecret } from "../key/secret.ts";
import { MAX_CANDIDATES } from "../store/start.ts";
import { apiError } from "./errors.ts";

/** A record that can be named in a call. */
interface Named {
  readonly id: string;
  readonly start: string;
  readonly name: string;
}

/** The ways in which a store finds such records. */
export interface Finder<Found extends Named> {
  byId(id: string): Found | undefined;
  byDigest(digest: string): Found | undefined;
  byStart(text: string): readonly Found[];
}

/**
 * Finds the record that a call names by its id, its start, the first eight characters of its secret, or the secret.
 * Throws NOT_FOUND, or FAILED_PRECONDITION with the candidates where a start is not the only one. What was named stands
 * in no error: it may be a secret.
 */
export function findNamed<Found extends Named>(name: string, finder: Finder<Found>): Found {
  if (isSecret(name)) return finder.byDigest(hash("sha256", name, "hex")) ?? notFound();
  const byId = finder.byId(name);
  if (byId !== undefined) return byId;
  const candidates = finder.byStart(name);
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

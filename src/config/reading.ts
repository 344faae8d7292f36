import { isSecret } from "../key/secret.ts";
import { isOwnToken } from "../key/token.ts";
import { readKeyBytes } from "./key-bytes.ts";

/** What reading something that a person wrote gives: the value, or what is wrong, as a phrase such as `must be >= 1`. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** Values longer than this are cut in messages, which must stay readable whatever was pasted into a setting. */
const MAX_SHOWN_LENGTH = 60;

/**
 * Writes a value for a message: text in quotes, numbers and truth values bare, the rest by its kind. A key that strayed
 * into another setting is not shown: messages end up in logs.
 */
export function show(raw: unknown): string {
  if (raw === null || raw === undefined) return "(empty)";
  if (Array.isArray(raw)) return "(a list)";
  if (typeof raw === "object") return "(a mapping)";
  if (typeof raw !== "string") return String(raw);
  const bare = raw.trim();
  if (isSecret(bare) || isOwnToken(bare) || readKeyBytes(bare) !== undefined) return "<redacted>";
  return JSON.stringify(raw.length > MAX_SHOWN_LENGTH ? `${raw.slice(0, MAX_SHOWN_LENGTH)}…` : raw);
}

/** Reads text as YAML gives it. Numbers and truth values are refused: YAML has already changed how they were written. */
export function readText(raw: unknown): Reading<string> {
  if (typeof raw === "string") return { value: raw };
  const isScalar = typeof raw === "number" || typeof raw === "boolean";
  return { problem: isScalar ? "must be text, so put it in quotes" : "must be text" };
}

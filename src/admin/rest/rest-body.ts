import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { z } from "zod";
import { KeyFormat } from "../../gen/keyward/admin/v1/key_pb.ts";
import type { CreateKeyRequestSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { holdsSecret } from "../../key/secret.ts";
import { invalidArgument } from "../errors.ts";

/** The forms that a new key can have, by their names in the façade. */
export type RestFormat = "opaque" | "jwt";

/** 100 years of 365.25 days, as much as `CreateKeyRequest.expires_in` takes: more is a mistyped number. */
const MAX_DAYS = 36_525;
const DAY_MS = 86_400_000;

const DAYS_BOUND = `must be whole days >= 0 and <= ${MAX_DAYS}, and 0 for never`;

/** Clients write `null` for what they leave out. A field that is not known is refused: it may be a mistyped expiry. */
const createBody = z.strictObject({
  name: z.string("is required, as a text"),
  scopes: z.array(z.string("must be a text"), "must be a list of texts").nullish(),
  expires_in_days: z.number(DAYS_BOUND).refine(isNumberOfDays, DAYS_BOUND).nullish(),
  format: z.enum(["opaque", "jwt"], "must be opaque or jwt").nullish(),
});

function isNumberOfDays(days: number): boolean {
  return Number.isInteger(days) && days >= 0 && days <= MAX_DAYS;
}

const revokeBody = z.strictObject({ reason: z.string("must be a text").nullish() });

/**
 * Reads the body of a create. Throws INVALID_ARGUMENT with every field that is not of its type; the bounds of name and
 * scopes are those of CreateKey, and are judged there.
 */
export function readCreateBody(
  body: unknown,
  tenant: string,
  defaultFormat: RestFormat,
): MessageInitShape<typeof CreateKeyRequestSchema> {
  const { name, scopes, expires_in_days: days, format } = read(createBody, body);
  return {
    name,
    tenant,
    scopes: scopes ?? [],
    format: (format ?? defaultFormat) === "jwt" ? KeyFormat.JWT : KeyFormat.OPAQUE,
    ...expiryOf(days ?? undefined),
  };
}

/** Reads the body of a revoke, which may be left out: why the key ends. */
export function readRevokeBody(body: unknown): string {
  return read(revokeBody, body ?? {}).reason ?? "";
}

/** How the façade calls a field of CreateKeyRequest. */
export function restFieldOf(field: string): string {
  return ["expires_in", "never_expires", "expires_at"].includes(field) ? "expires_in_days" : field;
}

function expiryOf(days: number | undefined): Pick<MessageInitShape<typeof CreateKeyRequestSchema>, "expiry"> {
  if (days === undefined) return {};
  if (days === 0) return { expiry: { case: "neverExpires", value: true } };
  return { expiry: { case: "expiresIn", value: durationFromMs(days * DAY_MS) } };
}

function read<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const { data, error } = shape.safeParse(body);
  if (error === undefined) return data;
  throw invalidArgument(
    error.issues.flatMap((issue) => {
      if (issue.code === "unrecognized_keys") {
        return issue.keys.map((key) => ({ field: shown(key), description: "is not known here" }));
      }
      const description = issue.path.length === 0 ? "must be a JSON object" : issue.message;
      return [{ field: pathOf(issue.path) || "the body", description }];
    }),
  );
}

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : (index > 0 ? "." : "") + String(part)))
    .join("");
}

/** What somebody wrote as the name of a field; it may be anything, a key too. */
function shown(key: string): string {
  return holdsSecret(key) ? "a field" : JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}

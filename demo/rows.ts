import type { DemoKey, DemoKeys } from "./keys.ts";
import type { Request } from "./send.ts";
import type { Received } from "./upstream.ts";

/** One line of the demo's table. */
export interface Row {
  title: string;
  request: Request;
  status: number;
  reason: string;
  /** For an allowed request: what is wrong with it as the upstream received it, if anything. */
  fault?: (seen: Received) => string | undefined;
}

/**
 * The requests of the demo, in the order in which they are sent. Beside what is refused stands what is let through.
 *
 * Three of them meet the shipped Envoy configuration before they meet Keyward: it refuses the encoded slash itself,
 * decodes the letter (Keyward, asked about `%61`, would judge `a` as well), and takes spoofed headers off, as Keyward
 * does once more. The overlong dots are what it lets pass, so Keyward has to stop them.
 */
export function rows({ reader, exact, brief, leaver }: DemoKeys): Row[] {
  const key = reader.secret;
  const allowed = { status: 200, reason: "allowed" };
  const tooLittle = { status: 403, reason: "insufficient_scope" };
  const elsewhere = { status: 403, reason: "path_not_allowed" };
  const spoof = { "x-keyward-key-id": "key_evil", "x-keyward-tenant": "evil", "X.Keyward.Owner": "user/evil" };
  return [
    { title: "public route, no key", request: { path: "/healthz" }, ...allowed },
    { title: "no key", request: { path: "/v1/orders" }, status: 401, reason: "no_credential" },
    { title: "good key", request: { path: "/v1/orders", secret: key }, ...allowed, fault: identityFault(reader) },
    { title: "wrong scope", request: { method: "POST", path: "/v1/orders", secret: key }, ...tooLittle },
    { title: "path beyond the key's /v1", request: { path: "/v1x/orders", secret: key }, ...elsewhere },
    { title: "exact path, with a query", request: { path: "/v1/status?full=1", secret: exact.secret }, ...allowed },
    { title: "below the exact path", request: { path: "/v1/status/disk", secret: exact.secret }, ...elsewhere },
    {
      title: "mistyped key",
      request: { path: "/v1/orders", secret: mistyped(key) },
      status: 401,
      reason: "malformed_credential",
    },
    { title: "expired key", request: { path: "/v1/orders", secret: brief.secret }, status: 401, reason: "key_expired" },
    {
      title: "spoofed identity headers",
      request: { path: "/v1/orders", secret: key, headers: spoof },
      ...allowed,
      fault: identityFault(reader),
    },
    {
      title: "encoded slash",
      request: { path: "/v1%2fadmin", secret: key },
      status: 400,
      reason: "refused by Envoy",
    },
    {
      title: "dots in overlong UTF-8",
      request: { path: "/v1/x/%c0%ae%c0%ae/admin", secret: key },
      status: 400,
      reason: "ambiguous_path",
    },
    { title: "stricter rule, encoded letter", request: { path: "/v1/%61dmin", secret: key }, ...tooLittle },
    { title: "stricter rule, trailing slash", request: { path: "/v1/admin/", secret: key }, ...tooLittle },
    { title: "key before it is revoked", request: { path: "/v1/orders", secret: leaver.secret }, ...allowed },
  ];
}

/** Sent last, when the command line has said that the key is revoked: the very next request is refused. */
export function revokedRow({ leaver }: DemoKeys): Row {
  const request = { path: "/v1/orders", secret: leaver.secret };
  return { title: "the same key, revoked", request, status: 401, reason: "key_revoked" };
}

/** The upstream must learn whose key it was, from Keyward alone, and must not get hold of the key. */
function identityFault({ id, secret }: DemoKey): NonNullable<Row["fault"]> {
  const expected = { "x-keyward-key-id": id, "x-keyward-owner": "service/ci", "x-keyward-scopes": "api:read" };
  return ({ headers }) => {
    const identity = Object.entries(headers).filter(([name]) => /^x[-_.]keyward[-_.]/.test(name));
    const told = JSON.stringify(Object.fromEntries(identity.sort()));
    if (told !== JSON.stringify(expected)) return `the upstream was told ${told}`;
    if (JSON.stringify(headers).includes(secret)) return "the upstream received the key";
    return undefined;
  };
}

/** Returns the secret with its last character changed. */
function mistyped(secret: string): string {
  return secret.slice(0, -1) + (secret.endsWith("0") ? "1" : "0");
}

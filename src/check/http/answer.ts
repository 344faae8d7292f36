import type { CheckContext } from "../context.ts";
import type { Carriers } from "../credential.ts";
import { type Allowed, type Denied, isAllowed } from "../decide.ts";
import { denialBody, denialHeaders } from "../denial.ts";
import type { Encode, EncodeSettings } from "../encode.ts";
import { expiryWarning } from "../expiry-warning.ts";
import { IDENTITY, identityOf } from "../identity.ts";
import { rateLimitHeaders } from "../rate-limit-headers.ts";
import { REASONS, type Reason } from "../reason.ts";
import type { Dialect } from "./dialects.ts";

/** What a gateway is answered over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case, each once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What every gateway takes for leave to let the request through. Some would take any 2xx, and Envoy takes this one only. */
const OK = 200;

/** Makes the encoder of a dialect. Its `allow` is the only place that answers 200, for a decision that `decide` made. */
export function createHttpEncode(settings: EncodeSettings, dialect: Dialect): Encode<HttpAnswer> {
  const { identityHeaders, expiryWarningMs } = settings;
  const realm = settings.wwwAuthenticate === "on" ? settings.realm : undefined;

  const allow = (
    decision: Allowed,
    context: CheckContext,
    carriers: Carriers,
    spellings: readonly string[],
    staleMs: number,
  ) => {
    if (!isAllowed(decision)) throw new TypeError("only decide may allow");
    const identity = new Map(IDENTITY.map((field) => [identityHeaders[field], identityOf(field, decision)]));
    const headers: (readonly [string, string])[] = [
      // All of them, so that each takes the place of the client's; an empty one says that there is none.
      ...Array.from(identity, ([name, value]) => [name, value ?? ""] as const),
      ["x-keyward-decision-id", context.decisionId],
      ["x-keyward-reason", decision.reason],
      // As long ago as the store was last known to be up to date.
      ...(staleMs > 0 ? [["x-keyward-stale", `${Math.ceil(staleMs / 1000)}s`] as const] : []),
      ...expiryWarning(decision.record, context.nowMs, expiryWarningMs),
      ...(decision.taken === undefined ? [] : rateLimitHeaders(decision.taken)),
    ];
    if (dialect.removesHeaders) {
      // The other cookies stay: the header is written anew without the one that held the key.
      if (carriers.cookies) headers.push(["cookie", carriers.cookies]);
      const removed = [...carriers.headers, ...spellings.filter((spelling) => identity.get(spelling) === undefined)];
      if (carriers.cookies === "") removed.push("cookie");
      headers.push(["x-envoy-auth-headers-to-remove", removed.join(",")]);
    }
    return { status: OK, headers, body: "" };
  };

  const deny = (decision: Denied, id: string) => ({
    status: statusOf(decision.reason, dialect, settings),
    headers: denialHeaders(decision, id, realm),
    body: denialBody(decision, id),
  });

  return (decision, context, carriers, spellings, staleMs = 0) =>
    decision.allowed ? allow(decision, context, carriers, spellings, staleMs) : deny(decision, context.decisionId);
}

/** The status that tells a gateway a denial; `x-keyward-reason` tells the real one. */
function statusOf(reason: Reason, { denials }: Dialect, { onStoreError }: EncodeSettings): number {
  const { status } = REASONS[reason];
  if (denials === "only 401 and 403") return status === 401 ? 401 : 403;
  const asError = reason === "store_unavailable" && onStoreError === "error";
  return denials === "never 5xx" && status >= 500 && !asError ? 403 : status;
}

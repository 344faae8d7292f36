import type { CheckSpan } from "./tracer.ts";

/** What calls a check, as the semantic conventions for RPC name it. */
const METHOD = "envoy.service.auth.v3.Authorization/Check";

/** Numbers of OTLP: SPAN_KIND_SERVER and STATUS_CODE_ERROR. */
const SERVER = 2;
const ERROR = 2;

/** What is a fault of ours, and makes the span an error. A denial is none. */
const FAULTS = ["internal_error", "store_unavailable"];

type Attribute = { key: string; value: { stringValue: string } };

/** Writes spans as an ExportTraceServiceRequest in the JSON form of OTLP 1. */
export function writeSpans(
  spans: readonly CheckSpan[],
  resource: Readonly<Record<string, string>>,
  version: string,
): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: "keyward", version }, spans: spans.map(spanOf) }],
      },
    ],
  });
}

function spanOf(span: CheckSpan): object {
  const { traceId, spanId, parentId, startMs, endMs, reason } = span;
  const isFault = FAULTS.includes(reason);
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name: METHOD,
    kind: SERVER,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributesOf({
      "rpc.system.name": "grpc",
      "rpc.method": METHOD,
      // The call itself succeeds, whatever was decided.
      "rpc.response.status_code": "OK",
      "keyward.decision": span.allowed ? "allow" : "deny",
      "keyward.reason": reason,
      "keyward.decision_id": span.decisionId,
      "keyward.key_id": span.keyId,
      "keyward.route": span.route,
      "error.type": isFault ? reason : undefined,
    }),
    ...(isFault ? { status: { code: ERROR, message: reason } } : {}),
  };
}

function attributesOf(values: Readonly<Record<string, string | undefined>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: { stringValue: value } }],
  );
}

/** 64-bit numbers are texts in JSON. A double holds the milliseconds since 1970 to about 0.2 µs. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)));
}

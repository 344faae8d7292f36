/** The span of somebody else's that called us. Ids are lower-case hex. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits. A later version may be longer, with another `-`. */
const LENGTH = 55;

/** Reads a `traceparent` (W3C Trace Context, level 2). Undefined where it is none: then a trace begins here. */
export function readTraceParent(text: string): TraceParent | undefined {
  if (text.length < LENGTH || (text.length > LENGTH && (text.startsWith("00") || text[LENGTH] !== "-")))
    return undefined;
  for (let at = 0; at < LENGTH; at++) {
    const isDash = at === 2 || at === 35 || at === 52;
    if (isDash ? text[at] !== "-" : !isHexDigit(text.charCodeAt(at))) return undefined;
  }
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  if (text.startsWith("ff") || traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(text.slice(53, 55), 16) & 1) === 1 };
}

const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}

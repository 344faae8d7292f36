import { GRPC_STATUS, grpcRefusal, httpRefusal, Refusal } from "./answer.ts";
import type { RequestHead } from "./request-head.ts";

/** Metadata of a call by its name, repeated ones joined by commas. Values hold one character a byte. */
export type Metadata = ReadonlyMap<string, string>;

/**
 * A unary call. It gets the message, which is its own during the call only, and answers at once: with a message, or with
 * a `grpcRefusal`. What it throws becomes the status INTERNAL, and says nothing to the peer.
 */
type Handler = (message: Uint8Array, metadata: Metadata) => Uint8Array | Refusal;

/** What is served at one path. */
export interface Method {
  readonly handler: Handler;
  /** Names, in lower case, of the metadata that the handler is shown; the others are not kept. */
  readonly metadata?: readonly string[];
}

/** A value of metadata that is longer than this is not shown, so that an unfinished call cannot hold on to much. */
const MAX_METADATA_VALUE = 1_024;

const NOT_POST = httpRefusal(405, "A call of gRPC is a POST.\n", ["allow", "POST"]);
const NOT_GRPC = httpRefusal(415, "This port serves gRPC only: content-type application/grpc.\n");
const LIST_TOO_LARGE = httpRefusal(431, "The headers are larger than this server takes.\n");
const UNKNOWN = grpcRefusal(GRPC_STATUS.unimplemented, "unknown method", true);

/** The method that a request asks for, or how it is refused: decided with the head, since the body cannot change it. */
export function routeRequest(head: RequestHead, methods: ReadonlyMap<string, Method>): Method | Refusal {
  if (head.isTooLarge) return LIST_TOO_LARGE;
  if (head.method !== "POST") return NOT_POST;
  if (!isGrpc(head.contentType)) return NOT_GRPC;
  return methods.get(head.path) ?? UNKNOWN;
}

/** The metadata that a method asked for. */
export function shownMetadata(head: RequestHead, target: Method | Refusal): Metadata {
  if (target instanceof Refusal || target.metadata === undefined) return NO_METADATA;
  const shown = new Map<string, string>();
  for (const { name, value } of head.others) {
    if (!target.metadata.includes(name)) continue;
    const before = shown.get(name);
    const all = before === undefined ? value : `${before},${value}`;
    if (all.length <= MAX_METADATA_VALUE) shown.set(name, all);
  }
  return shown;
}

const NO_METADATA: Metadata = new Map();

/** `application/grpc`, alone or with `+proto` and the like, or with parameters. */
function isGrpc(contentType: string): boolean {
  if (!contentType.startsWith(GRPC)) return false;
  const next = contentType[GRPC.length];
  return next === undefined || next === "+" || next === ";";
}

const GRPC = "application/grpc";

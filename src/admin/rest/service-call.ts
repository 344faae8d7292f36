import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";

/** Who calls. */
export interface CallOrigin {
  /** The header of that name; null where there is none. */
  readonly authorization: string | null;
  readonly contextValues: ContextValues;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** Calls a method of a service in this program. Throws the ConnectError that a caller over the network would get. */
export type ServiceCall = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
  origin: CallOrigin,
) => Promise<MessageShape<O>>;

/**
 * Makes calls to the handlers of a router as if they came over the network, in Connect's unary protocol: past the same
 * access, the same rules and the same error mapping.
 */
export function createServiceCall(handlers: readonly UniversalHandler[]): ServiceCall {
  const byPath = new Map(handlers.map((handler) => [handler.requestPath, handler]));
  return async (method, input, { authorization, contextValues, signal }) => {
    const path = `/${method.parent.typeName}/${method.name}`;
    const handler = byPath.get(path);
    if (handler === undefined) throw new Error(`${path} is not served`);
    const header = new Headers({ "content-type": "application/proto" });
    if (authorization !== null) header.set("authorization", authorization);
    const { status, body } = await handler({
      httpVersion: "1.1",
      method: "POST",
      url: `http://admin${path}`,
      header,
      body: inOnePart(toBinary(method.input, create(method.input, input))),
      signal,
      contextValues,
    });
    const parts: Uint8Array[] = [];
    if (body !== undefined) for await (const part of body) parts.push(part);
    const bytes = Buffer.concat(parts);
    if (status === 200) return fromBinary(method.output, bytes);
    throw errorFromJsonBytes(bytes, undefined, new ConnectError(`${path} answered ${status}`, Code.Internal));
  };
}

async function* inOnePart(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { createGrpcWebTransport as createFetchTransport } from "@connectrpc/connect-web";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { openSocket, sendHttp1, sendHttp2, socketPathOf, type Target } from "./http.ts";
import { refusedOfConnect, refusedOfGrpc, refusedOfJson } from "./refused.ts";

/** A client of the admin API. */
export interface AdminClient {
  /** Calls a method, with an admin key if one is given. Rejects with `Refused`. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    adminKey?: string,
  ): Promise<MessageShape<O>>;
  close(): void;
}

/** The client that works over the network only. */
export const FETCH_CLIENT = "gRPC-Web of connect-web";

/** Makes a client of each kind for an admin API, by name. */
export const CLIENTS: Readonly<Record<string, (target: Target) => AdminClient>> = {
  "JSON over HTTP/1.1": (target) => jsonClient(target, sendHttp1, false),
  "JSON in snake_case over HTTP/1.1": (target) => jsonClient(target, sendHttp1, true),
  "JSON over h2c": (target) => jsonClient(target, sendHttp2, false),
  "Connect over HTTP/1.1": (target) => transportClient(createConnectTransport(http1(target))),
  "Connect over h2c": (target) => http2Client(target, createConnectTransport),
  "gRPC of connect-node": (target) => http2Client(target, createGrpcTransport),
  "gRPC of grpc-js": grpcJsClient,
  "gRPC-Web over HTTP/1.1": (target) => transportClient(createGrpcWebTransport(http1(target))),
  // What a browser would use; it has nothing but fetch, so it reaches no local socket.
  [FETCH_CLIENT]: (target) => transportClient(createFetchTransport({ baseUrl: `http://${target}` })),
  "gRPC-Web over h2c": (target) => http2Client(target, createGrpcWebTransport),
};

/** What curl does: a POST with a JSON body. */
export function jsonClient(target: Target, send: typeof sendHttp1, snakeCase: boolean): AdminClient {
  return {
    async call(method, input, adminKey) {
      const { status, body } = await send(target, {
        path: pathOf(method),
        headers: { "content-type": "application/json", ...headersOf(adminKey) },
        body: toJsonString(method.input, create(method.input, input), { useProtoFieldName: snakeCase }),
      });
      if (status !== 200) throw refusedOfJson(body);
      return fromJsonString(method.output, body);
    },
    close() {},
  };
}

/** A client on a transport of Connect. */
function transportClient(transport: Transport, close: () => void = () => {}): AdminClient {
  return {
    async call(method, input, adminKey) {
      try {
        const { message } = await transport.unary(method, undefined, undefined, headersOf(adminKey), input);
        return message;
      } catch (error) {
        throw refusedOfConnect(ConnectError.from(error));
      }
    },
    close,
  };
}

/** A transport of Connect to an admin API over h2c, and how to let go of it. */
export function http2Options(target: Target) {
  const createConnection = () => openSocket(target);
  const sessionManager = new Http2SessionManager("http://admin", undefined, { createConnection });
  return { baseUrl: "http://admin", httpVersion: "2", sessionManager } as const;
}

function http2Client(target: Target, createTransport: (options: ReturnType<typeof http2Options>) => Transport) {
  const options = http2Options(target);
  return transportClient(createTransport(options), () => options.sessionManager.abort());
}

function http1(target: Target) {
  const socketPath = socketPathOf(target);
  return socketPath === undefined
    ? ({ baseUrl: `http://${target}`, httpVersion: "1.1" } as const)
    : ({ baseUrl: "http://admin", httpVersion: "1.1", nodeOptions: { socketPath } } as const);
}

function grpcJsClient(target: Target): AdminClient {
  const client = new Client(target, credentials.createInsecure());
  return {
    call(method, input, adminKey) {
      const { promise, resolve, reject } = Promise.withResolvers<MessageShape<typeof method.output>>();
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headersOf(adminKey))) metadata.set(name, value);
      client.makeUnaryRequest(
        pathOf(method),
        (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, input),
        metadata,
        (error: ServiceError | null, answer) => {
          if (answer === undefined) reject(error === null ? new Error("no answer and no error") : refusedOfGrpc(error));
          else resolve(answer);
        },
      );
      return promise;
    },
    close: () => client.close(),
  };
}

function pathOf(method: { parent: { typeName: string }; name: string }): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function headersOf(adminKey: string | undefined): Record<string, string> {
  return adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` };
}

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** A span as it came. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue: string } }[];
  status?: { code: number; message: string };
}

/** A collector of OTLP/HTTP. */
export interface OtlpReceiver {
  url: string;
  /** What was posted, with the headers it came with. */
  posts: { path: string; headers: NodeJS.Dict<string | string[]>; body: Buffer }[];
  /** The spans of all posts in JSON that were taken. */
  spans(): ReceivedSpan[];
  /** The status that is answered from now on. */
  status: number;
}

/** Starts a collector that is ended after the test. */
export async function otlpReceiverForThisTest(): Promise<OtlpReceiver> {
  const taken: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    receiver.posts.push({ path: request.url ?? "", headers: request.headers, body });
    if (receiver.status === 200 && request.headers["content-type"] === "application/json") taken.push(body);
    response.writeHead(receiver.status, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: [],
    status: 200,
    spans: () =>
      taken.flatMap((body) => {
        const { resourceSpans } = JSON.parse(body.toString()) as {
          resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
        };
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
      }),
  };
  return receiver;
}

/** The attributes of a span, by their names. */
export function attributesOf({ attributes }: ReceivedSpan): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

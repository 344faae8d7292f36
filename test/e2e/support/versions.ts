import { type Send, sendHttp1, sendHttp2 } from "./client.ts";

/** The versions of HTTP in which clients come, with what sends in them. */
export const VERSIONS: readonly (readonly [string, Send])[] = [
  ["HTTP/1.1", sendHttp1],
  ["HTTP/2", sendHttp2],
];

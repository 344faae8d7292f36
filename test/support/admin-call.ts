import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

/** A key as the admin API tells it in JSON, as far as tests ask. */
export interface JsonKey {
  id: string;
  state: string;
  start: string;
}

/** What a change of a key is answered with. */
export interface JsonChange {
  key: JsonKey;
  secret?: string;
  enforced?: boolean;
  warning?: string;
}

/**
 * Calls the admin API in plain JSON over the local admin socket: `KeyService/CreateKey`. Rejects where the answer is not
 * 200, and where none comes.
 */
export async function adminCall<Answer = JsonChange>(
  socketPath: string,
  method: string,
  body: object,
): Promise<Answer> {
  const outgoing = request({
    socketPath,
    agent: false,
    method: "POST",
    path: `/keyward.admin.v1.${method}`,
    headers: { "content-type": "application/json" },
  });
  const [response] = (await once(outgoing.end(JSON.stringify(body)), "response")) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`${method} was answered with ${response.statusCode}: ${answer}`);
  return JSON.parse(answer) as Answer;
}

/** Creates a key and returns its record and secret. */
export async function createKey(
  socketPath: string,
  key: Readonly<Record<string, unknown>> = {},
): Promise<{ id: string; secret: string }> {
  const { key: record, secret } = await adminCall(socketPath, "KeyService/CreateKey", { name: "test", ...key });
  if (secret === undefined) throw new Error("a key was created without a secret");
  return { id: record.id, secret };
}

import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll } from "vitest";
import { AdminKeyService } from "../../../src/gen/keyward/admin/v1/admin_key_service_pb.ts";
import { type Keyward, type KeywardOptions, startKeyward } from "../../support/keyward.ts";
import { type AdminClient, jsonClient } from "./clients.ts";
import { sendHttp1 } from "./http.ts";
import { type Refused, refusedOfJson } from "./refused.ts";

/** A Keyward that a test file shares, and the clients to its admin API. */
export interface Served {
  readonly keyward: Keyward;
  /** The local admin socket, as a target. */
  readonly socket: string;
  /** Plain JSON over the local admin socket, where everything is allowed. */
  readonly local: AdminClient;
  /** Plain JSON over the network, where an admin key is asked for. */
  readonly network: AdminClient;
  /** Posts a body, JSON unless it is text already, to a method such as `KeyService/GetKey` on the local admin socket. */
  post(method: string, body: object | string): Promise<JsonAnswer>;
  /** Makes an admin key and returns its secret. */
  adminKey(...scopes: string[]): Promise<string>;
}

/** What came of a call in plain JSON. */
interface JsonAnswer {
  status: number;
  /** The body of an answer; empty where the call was refused. */
  answer: JsonObject;
  refused: Refused | undefined;
}

/** Starts one Keyward before the tests of a file and ends it after them. */
export function serveOnce(options?: KeywardOptions): () => Served {
  let served: Served | undefined;
  beforeAll(async () => {
    const keyward = await startKeyward(options);
    const socket = `unix:${keyward.adminSocket}`;
    const local = jsonClient(socket, sendHttp1, false);
    served = {
      keyward,
      socket,
      local,
      network: jsonClient(keyward.admin, sendHttp1, false),
      async post(method, content) {
        const { status, body } = await sendHttp1(socket, {
          path: `/keyward.admin.v1.${method}`,
          headers: { "content-type": "application/json" },
          body: typeof content === "string" ? content : JSON.stringify(content),
        });
        if (status !== 200) return { status, answer: {}, refused: refusedOfJson(body) };
        return { status, answer: JSON.parse(body), refused: undefined };
      },
      async adminKey(...scopes) {
        const { secret } = await local.call(AdminKeyService.method.createAdminKey, { name: "for a test", scopes });
        return secret;
      },
    };
  });
  afterAll(() => served?.keyward.stop());
  return () => {
    if (served === undefined) throw new Error("Keyward is served while tests run only");
    return served;
  };
}

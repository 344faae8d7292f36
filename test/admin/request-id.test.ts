import { describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { adminCall } from "../support/admin-call.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { type KeywardOptions, startKeyward } from "../support/keyward.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { createKey, rotateKey, listKeys } = KeyService.method;

let drawn = 0;
/** A request id that no other test uses. */
const newId = () => `request-${++drawn}`;

const REUSED = {
  code: "already_exists",
  reason: "REQUEST_ID_REUSED",
  message: "this request_id was used for another request",
};

async function countOf(owner: string): Promise<number> {
  return (await served().local.call(listKeys, { filter: `owner = "${owner}"` })).keys.length;
}

describe("a retry of CreateKey", () => {
  test("returns the record of the first call, without the secret, and makes nothing", async () => {
    const owner = "project/retry";
    const request = { name: "k", owner, scopes: ["a"], requestId: newId() };
    const first = await served().local.call(createKey, request);
    const second = await served().local.call(createKey, request);
    expect(first.secret).toMatch(/^kw_/);
    expect(second).toMatchObject({ key: first.key, secret: "", enforced: true });
    expect(await countOf(owner)).toBe(1);
  });

  test("shows the key as it is by now", async () => {
    const request = { name: "k", requestId: newId() };
    const { key } = await served().local.call(createKey, request);
    await served().local.call(KeyService.method.revokeKey, { key: key?.id ?? "" });
    const { answer } = await served().post("KeyService/CreateKey", request);
    expect(answer).toMatchObject({ key: { id: key?.id, state: "KEY_STATE_REVOKED" } });
    expect(answer).not.toHaveProperty("secret");
  });

  test("that comes in the other spelling of JSON is the same request", async () => {
    const requestId = newId();
    const first = await served().post("KeyService/CreateKey", { name: "k", requestId, expiresIn: "600s" });
    const second = await served().post("KeyService/CreateKey", {
      expires_in: "600s",
      request_id: requestId,
      name: "k",
    });
    expect(second.answer.key).toEqual(first.answer.key);
  });

  test("that tells its metadata in another order is the same request", async () => {
    const requestId = newId();
    const first = await served().post("KeyService/CreateKey", { name: "k", requestId, metadata: { a: "1", b: "2" } });
    const second = await served().post("KeyService/CreateKey", { name: "k", requestId, metadata: { b: "2", a: "1" } });
    expect(second.answer.key).toEqual(first.answer.key);
    const other = await served().post("KeyService/CreateKey", { name: "k", requestId, metadata: { b: "1", a: "2" } });
    expect(other).toMatchObject({ status: 409, refused: REUSED });
  });

  test.each<[title: string, more: object]>([
    ["another name", { name: "l" }],
    ["another scope", { scopes: ["b"] }],
    ["another expiry", { expiresIn: "601s" }],
    ["no expiry", { expiresIn: undefined }],
    ["a limit more", { methods: ["GET"] }],
  ])("with %s is refused, and makes nothing", async (title, more) => {
    const owner = `project/${title.replaceAll(" ", "-")}`;
    const request = { name: "k", owner, scopes: ["a"], expiresIn: "600s", requestId: newId() };
    expect((await served().post("KeyService/CreateKey", request)).status).toBe(200);
    const { status, refused } = await served().post("KeyService/CreateKey", { ...request, ...more });
    expect({ status, refused }).toMatchObject({ status: 409, refused: REUSED });
    expect(await countOf(owner)).toBe(1);
  });

  test("by another caller is a request of its own", async () => {
    const [one, other] = [await served().adminKey("keys:write"), await served().adminKey("keys:write")];
    const request = { name: "k", requestId: newId() };
    const first = await served().network.call(createKey, request, one);
    const foreign = await served().network.call(createKey, request, other);
    expect(foreign.secret).toMatch(/^kw_/);
    expect(foreign.key?.id).not.toBe(first.key?.id);
    const again = await served().network.call(createKey, request, one);
    expect([again.key?.id, again.secret]).toEqual([first.key?.id, ""]);
  });

  test("by who may not write learns nothing", async () => {
    const request = { name: "k", requestId: newId() };
    await served().local.call(createKey, request);
    const reader = await served().adminKey("keys:read");
    const call = served().network.call(createKey, request, reader);
    await expect(call).rejects.toMatchObject({ code: "permission_denied", reason: "MISSING_SCOPE" });
  });

  test("sent many times at once makes one key, with one secret", async () => {
    const owner = "project/at-once";
    const request = { name: "k", owner, requestId: newId() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => served().local.call(createKey, request)));
    expect(new Set(answers.map(({ key }) => key?.id)).size).toBe(1);
    expect(answers.filter(({ secret }) => secret !== "")).toHaveLength(1);
    expect(await countOf(owner)).toBe(1);
  });

  test("after a restart is still the same request", async () => {
    const folder = folderForThisTest();
    const options: KeywardOptions = { folder };
    const request = { name: "k", requestId: "r" };
    const before = await startKeyward(options);
    const first = await adminCall(before.adminSocket, "KeyService/CreateKey", request).finally(before.stop);
    const after = await startKeyward(options);
    const second = await adminCall(after.adminSocket, "KeyService/CreateKey", request).finally(after.stop);
    expect([second.key.id, second.secret]).toEqual([first.key.id, undefined]);
  });
});

describe("a retry of RotateKey", () => {
  const created = async () => (await served().local.call(createKey, { name: "k" })).key?.id ?? "";

  test("returns both records, without the secret, and rotates nothing", async () => {
    const request = { key: await created(), requestId: newId() };
    const first = await served().local.call(rotateKey, request);
    const second = await served().local.call(rotateKey, request);
    expect(first.secret).toMatch(/^kw_/);
    expect(second).toMatchObject({ key: first.key, rotated: first.rotated, secret: "" });
  });

  test("without the id is a second rotation, which is refused", async () => {
    const key = await created();
    await served().local.call(rotateKey, { key, requestId: newId() });
    await expect(served().local.call(rotateKey, { key })).rejects.toMatchObject({ reason: "KEY_STATE" });
  });

  test("with another grace period is refused", async () => {
    const request = { key: await created(), requestId: newId() };
    await served().local.call(rotateKey, request);
    const call = served().local.call(rotateKey, { ...request, grace: { seconds: 1n } });
    await expect(call).rejects.toMatchObject(REUSED);
  });

  test("of another key is refused, and leaves that key as it is", async () => {
    const requestId = newId();
    await served().local.call(rotateKey, { key: await created(), requestId });
    const other = await created();
    await expect(served().local.call(rotateKey, { key: other, requestId })).rejects.toMatchObject(REUSED);
    const { answer } = await served().post("KeyService/GetKey", { key: other });
    expect(answer.key).toMatchObject({ state: "KEY_STATE_ACTIVE" });
  });

  test("with the id of a CreateKey is refused", async () => {
    const requestId = newId();
    const { key } = await served().local.call(createKey, { name: "k", requestId });
    await expect(served().local.call(rotateKey, { key: key?.id ?? "", requestId })).rejects.toMatchObject(REUSED);
  });
});

describe("a request that was refused", () => {
  test("leaves its id free", async () => {
    const requestId = newId();
    const refused = await served().post("KeyService/CreateKey", { name: "", requestId });
    const made = await served().post("KeyService/CreateKey", { name: "k", requestId });
    expect([refused.status, made.status]).toEqual([400, 200]);
  });

  test.each<[title: string, requestId: string, status: number]>([
    ["an id of 100 characters", "x".repeat(100), 200],
    ["an id of 101 characters", "x".repeat(101), 400],
    ["an id of every sign that may stand in it", "aZ_0-9", 200],
    ["an id with a dot", "aZ.09", 400],
    ["an id with a space", "a b", 400],
    ["an id with a line break after it", "ab\n", 400],
  ])("%s", async (_, requestId, status) => {
    const { status: answered, refused } = await served().post("KeyService/CreateKey", { name: "k", requestId });
    expect([answered, refused?.fields ?? []]).toEqual([status, status === 200 ? [] : ["request_id"]]);
  });
});

describe("validate_only", () => {
  test("tells the key as it would be, and makes none", async () => {
    const owner = "project/preview";
    const request = {
      name: "k",
      owner,
      scopes: ["b", "b"],
      methods: ["GET"],
      cidrs: ["10.0.0.0/8"],
      expiresIn: "600s",
    };
    const { status, answer } = await served().post("KeyService/CreateKey", { ...request, validateOnly: true });
    const preview = { name: "k", owner, scopes: ["b"], methods: ["GET"], cidrs: ["10.0.0.0/8"] };
    expect(status).toBe(200);
    expect(answer.key).toMatchObject({ ...preview, state: "KEY_STATE_ACTIVE", createdBy: "local" });
    expect(answer.key).toHaveProperty("expiresAt");
    for (const made of ["id", "start"]) expect(answer.key).not.toHaveProperty(made);
    expect(answer).not.toHaveProperty("secret");
    expect(await countOf(owner)).toBe(0);
  });

  test("refuses what the call would refuse", async () => {
    const { refused } = await served().post("KeyService/CreateKey", { name: "", validateOnly: true });
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["name"] });
  });

  test("uses up no request id", async () => {
    const request = { name: "k", requestId: newId() };
    await served().post("KeyService/CreateKey", { ...request, validateOnly: true });
    const { answer } = await served().post("KeyService/CreateKey", request);
    expect(answer.secret).toMatch(/^kw_/);
  });
});

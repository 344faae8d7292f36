import { expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

test.each([
  ["lowerCamelCase", { name: "ci", notBefore: "2030-01-01T00:00:00Z", expiresAt: "2031-01-01T00:00:00Z" }],
  ["snake_case", { name: "ci", not_before: "2030-01-01T00:00:00Z", expires_at: "2031-01-01T00:00:00Z" }],
])("fields in %s are read, and the answer is in lowerCamelCase", async (_, request) => {
  const { status, answer } = await served().post("KeyService/CreateKey", request);
  expect(status).toBe(200);
  expect(answer).toEqual({
    key: {
      id: expect.stringMatching(/^key_[0-9A-Za-z]{20}$/),
      start: expect.stringMatching(/^kw_[0-9A-Za-z]{8}$/),
      name: "ci",
      notBefore: "2030-01-01T00:00:00Z",
      expiresAt: "2031-01-01T00:00:00Z",
      state: "KEY_STATE_ACTIVE",
      createdAt: expect.stringMatching(/Z$/),
      createdBy: "local",
      updatedAt: expect.stringMatching(/Z$/),
      revision: expect.stringMatching(/^\d+$/),
      etag: expect.stringMatching(/^\d+$/),
      format: "KEY_FORMAT_OPAQUE",
    },
    secret: expect.stringMatching(/^kw_[0-9A-Za-z]{49}$/),
    enforced: true,
  });
});

test.each<[title: string, body: object | string, message: RegExp]>([
  ["a field that does not exist", { name: "x", expires_on: "2031-01-01" }, /"expires_on" is unknown/],
  ["a field of the record that nobody sets", { name: "x", id: "key_1" }, /"id" is unknown/],
  ["both expiries", { name: "x", expiresIn: "60s", expiresAt: "2031-01-01T00:00:00Z" }, /oneof set multiple times/],
  ["a number for a text", { name: 3 }, /CreateKeyRequest\.name .*expected string, got 3/],
  ["a text for a list", { name: "x", scopes: "api:read" }, /CreateKeyRequest\.scopes/],
  ["a lifetime in days", { name: "x", expiresIn: "90d" }, /google\.protobuf\.Duration/],
  ["a lifetime as a number", { name: "x", expiresIn: 600 }, /google\.protobuf\.Duration/],
  ["a time without its zone", { name: "x", expiresAt: "2031-01-01T00:00:00" }, /google\.protobuf\.Timestamp/],
  ["a list for the request", [], /CreateKeyRequest/],
  ["half a body", '{"name":', /Unexpected end of JSON input/],
  ["a text that is no JSON", "name=x", /is not valid JSON/],
])("%s is an invalid argument", async (_, body, message) => {
  const { status, refused } = await served().post("KeyService/CreateKey", body);
  expect({ status, refused }).toMatchObject({
    status: 400,
    refused: { code: "invalid_argument", message: expect.stringMatching(message) },
  });
});

test.each([
  ["ListKeys", { pageSize: 2_147_483_648 }],
  ["ListKeys", { pageSize: 1.5 }],
  ["GetKey", { key: "x", view: "FULL" }],
])("%s of %j is an invalid argument", async (method, body) => {
  const { status, refused } = await served().post(`KeyService/${method}`, body);
  expect([status, refused?.code]).toEqual([400, "invalid_argument"]);
});

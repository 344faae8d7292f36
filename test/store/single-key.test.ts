import { expect, test } from "vitest";
import { createSingleKeyStore } from "../../src/store/single-key.ts";
import { digestOf } from "./support/keys.ts";

const digest = digestOf("the only one");

test("the digest finds a key with every scope and no limit", () => {
  expect(createSingleKeyStore(digest).find(digest)).toEqual({
    id: "key_single",
    tenant: undefined,
    owner: undefined,
    scopes: ["*"],
    inheritsScopes: false,
    ownerLimits: undefined,
    paths: [],
    methods: [],
    networks: undefined,
    notBeforeMs: undefined,
    expiresAtMs: undefined,
    graceEndsAtMs: undefined,
    revoked: false,
    disabled: false,
    rateLimit: undefined,
    signed: false,
    revision: 0,
  });
});

test.each([
  ["with another last digit", digest.slice(0, -1) + (digest.endsWith("0") ? "1" : "0")],
  ["a digit short", digest.slice(0, -1)],
  ["in capitals", digest.toUpperCase()],
  ["empty", ""],
])("a digest that is %s finds nothing", (_, other) => {
  expect(createSingleKeyStore(digest).find(other)).toBe(undefined);
});

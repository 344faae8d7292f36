import { expect, test } from "vitest";
import { lookUp, StoreUnavailableError } from "../../src/check/lookup.ts";
import { digestOf } from "../store/support/keys.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";

const secret = secretOf("a");

test("the record of a secret is found by the digest", () => {
  const record = recordOf({ id: "key_a" });
  expect(lookUp(secret, digestOf, storeOf({ [secret]: record }))).toBe(record);
  expect(lookUp(secretOf("b"), digestOf, storeOf({ [secret]: record }))).toBeUndefined();
});

test("the store is asked for the digest, once, and never sees the secret", () => {
  const asked: string[] = [];
  lookUp(secret, digestOf, {
    find(digest) {
      asked.push(digest);
      return undefined;
    },
  });
  expect(asked).toEqual([digestOf(secret)]);
});

test("a store that cannot tell is an error of its own kind, which says why and holds no secret", () => {
  const cause = new Error("disk gone");
  const store = {
    find() {
      throw cause;
    },
  };
  const asking = () => lookUp(secret, digestOf, store);
  expect(asking).toThrow(StoreUnavailableError);
  expect(asking).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE", cause }));
  expect(asking).not.toThrow(secret);
});

test("a digest that cannot be made is no fault of the store", () => {
  const asking = () =>
    lookUp(
      secret,
      () => {
        throw new RangeError("no such algorithm");
      },
      storeOf({}),
    );
  expect(asking).toThrow(RangeError);
});

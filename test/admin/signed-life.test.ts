import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { newKeyFields } from "../../src/admin/keys/key-fields.ts";
import { successorFields } from "../../src/admin/keys/successor.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { KeyFormat } from "../../src/gen/keyward/admin/v1/key_pb.ts";
import { CreateKeyRequestSchema, RotateKeyRequestSchema } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { local, sampleKey } from "../store/support/keys.ts";
import { newStore } from "../store/support/stores.ts";

/** Half a second past a whole one. */
const NOW_MS = 1_700_000_000_500;

/** When a key ends, or the field or reason for which it is not made. */
function endOf(make: () => { readonly expiresAtMs?: number | undefined }): unknown {
  try {
    return make().expiresAtMs;
  } catch (error) {
    const refusal = ConnectError.from(error);
    const [bad] = refusal.findDetails(BadRequestSchema);
    const [info] = refusal.findDetails(ErrorInfoSchema);
    return bad?.fieldViolations[0]?.field ?? info?.reason;
  }
}

function createdAtEnd(endMs: number, format: KeyFormat) {
  const expiry = { case: "expiresAt", value: timestampFromMs(endMs) } as const;
  const request: MessageInitShape<typeof CreateKeyRequestSchema> = { name: "k", format, expiry };
  return endOf(() => newKeyFields(create(CreateKeyRequestSchema, request), undefined, NOW_MS));
}

test.each<[title: string, afterMs: number, signed: unknown, opaque: unknown]>([
  ["within the second", 499, "expires_at", NOW_MS + 499],
  ["at the next second", 500, NOW_MS + 500, NOW_MS + 500],
  ["within the next second", 1_499, NOW_MS + 500, NOW_MS + 1_499],
])("a signed key that is to end %s ends at a whole second to come or is not made", (_, afterMs, signed, opaque) => {
  expect(createdAtEnd(NOW_MS + afterMs, KeyFormat.JWT)).toBe(signed);
  expect(createdAtEnd(NOW_MS + afterMs, KeyFormat.OPAQUE)).toBe(opaque);
});

test("a default life ends at a whole second too", () => {
  const request = create(CreateKeyRequestSchema, { name: "k", format: KeyFormat.JWT });
  expect(newKeyFields(request, 60_000, NOW_MS).expiresAtMs).toBe(NOW_MS + 59_500);
});

test.each<[title: string, afterMs: number, signed: unknown]>([
  ["within the second", 499, "KEY_STATE"],
  ["at the next second", 500, NOW_MS + 500],
  ["within a later second", 5_499, NOW_MS + 4_500],
])("the successor of a signed key that ends %s ends at a whole second to come or is not made", (_, afterMs, signed) => {
  const { store } = newStore();
  const request = create(RotateKeyRequestSchema, {});
  const ends = (alg: "ES256" | undefined) => {
    const key = store.createKey(sampleKey(`${alg}`, { alg, expiresAtMs: NOW_MS + afterMs }), local, 1);
    return endOf(() => successorFields(key, request, undefined, NOW_MS));
  };
  expect(ends("ES256")).toBe(signed);
  expect(ends(undefined)).toBe(NOW_MS + afterMs);
});

import { describe, expect, test } from "vitest";
import { REASON_NAMES } from "../../src/check/reason.ts";
import type { KeyRecord } from "../../src/key/record.ts";
import { policyOf } from "../support/policies.ts";
import { ratesAt } from "../support/rates.ts";
import { createSampleCheck, sampleContext } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { verdictOf } from "../support/verdict.ts";

/** A request, and all that it meets. As it is made, it is let through. */
interface Scene {
  method: string;
  host: string;
  path: string;
  extensions: Record<string, string>;
  /** What is presented, each in a place of its own. */
  presented: string[];
  known: boolean;
  storeAnswers: boolean;
  /** Whether the one request that the key's limit allows was made before. */
  usedUp: boolean;
  record: KeyRecord;
}

const KEY = secretOf("a");
const LIMIT = { requests: 1, windowMs: 60_000, cell: 0 };

function soundScene(): Scene {
  return {
    method: "GET",
    host: "api.test",
    path: "/v1/orders",
    extensions: {},
    presented: [KEY],
    known: true,
    storeAnswers: true,
    usedUp: false,
    record: recordOf({
      tenant: "v1",
      owner: "project/orders",
      scopes: ["orders:read"],
      paths: ["/v1"],
      methods: ["GET"],
      networks: { has: (address) => address === "192.0.2.1" },
      rateLimit: LIMIT,
    }),
  };
}

const late = { notBeforeMs: sampleContext.nowMs + 1 };
const early = { expiresAtMs: sampleContext.nowMs };

/** One fault for every reason but a defect of ours, in the order of judging. Each leaves the others' parts alone. */
const faults: [reason: string, spoil: (scene: Scene) => void][] = [
  [
    "malformed_request",
    (scene) => {
      scene.method = scene.method.toLowerCase();
    },
  ],
  [
    "ambiguous_host",
    (scene) => {
      scene.host += ",b.test";
    },
  ],
  [
    "ambiguous_path",
    (scene) => {
      scene.path += "/%2e";
    },
  ],
  [
    "misconfigured_route",
    (scene) => {
      scene.extensions["keyward.acess"] = "public";
    },
  ],
  [
    "route_denied",
    (scene) => {
      scene.extensions["keyward.access"] = "deny";
    },
  ],
  [
    "no_credential",
    (scene) => {
      scene.presented = [];
    },
  ],
  [
    "ambiguous_credential",
    (scene) => {
      scene.presented.push(secretOf("b"));
    },
  ],
  [
    "malformed_credential",
    (scene) => {
      scene.presented = scene.presented.map((text) => text.slice(1));
    },
  ],
  [
    "store_unavailable",
    (scene) => {
      scene.storeAnswers = false;
    },
  ],
  [
    "unknown_key",
    (scene) => {
      scene.known = false;
    },
  ],
  [
    "key_revoked",
    (scene) => {
      scene.record = { ...scene.record, revoked: true };
    },
  ],
  [
    "key_disabled",
    (scene) => {
      scene.record = { ...scene.record, disabled: true };
    },
  ],
  [
    "owner_disabled",
    (scene) => {
      scene.record = { ...scene.record, ownerLimits: { disabled: true, scopes: undefined } };
    },
  ],
  [
    "key_expired",
    (scene) => {
      scene.record = { ...scene.record, ...early };
    },
  ],
  [
    "key_not_yet_valid",
    (scene) => {
      scene.record = { ...scene.record, ...late };
    },
  ],
  [
    "address_not_allowed",
    (scene) => {
      scene.record = { ...scene.record, networks: { has: () => false } };
    },
  ],
  [
    "tenant_mismatch",
    (scene) => {
      scene.record = { ...scene.record, tenant: "v2" };
    },
  ],
  [
    "owner_mismatch",
    (scene) => {
      scene.record = { ...scene.record, owner: "project/order" };
    },
  ],
  [
    "method_not_allowed",
    (scene) => {
      scene.record = { ...scene.record, methods: ["PUT"] };
    },
  ],
  [
    "path_not_allowed",
    (scene) => {
      scene.record = { ...scene.record, paths: ["/v"] };
    },
  ],
  [
    "insufficient_scope",
    (scene) => {
      scene.record = { ...scene.record, scopes: ["orders:rea"] };
    },
  ],
  [
    "rate_limited",
    (scene) => {
      scene.usedUp = true;
    },
  ],
];

function judge(spoils: readonly ((scene: Scene) => void)[]) {
  const scene = soundScene();
  for (const spoil of spoils) spoil(scene);
  const { method, host, path, extensions, presented, known, storeAnswers, usedUp, record } = scene;
  const rates = ratesAt(() => 0n);
  if (usedUp) rates.take(LIMIT);
  const store = storeOf(known ? { [KEY]: record } : {});
  const check = createSampleCheck({
    policy: policyOf([{ path: "/{t}/{p}", tenant: "{t}", owner: "project/{p}", scopes: ["orders:read"] }]),
    store: {
      find(digest) {
        if (!storeAnswers) throw new Error("disk gone");
        return store.find(digest);
      },
    },
    rates,
  });
  const places = [(secret: string) => `Bearer ${secret}`, (secret: string) => secret];
  const headers = presented.map((secret, index) => {
    return [index === 0 ? "authorization" : "x-api-key", places[index]?.(secret) ?? ""] as const;
  });
  const verdict = verdictOf(check({ method, host, path, extensions, headers, sourceAddress: "192.0.2.1" }));
  return { reason: verdict.metadata.reason, allowed: verdict.code === 0 };
}

test("a request without a fault is let through", () => {
  expect(judge([])).toEqual({ reason: "allowed", allowed: true });
});

test("there is a fault for every reason, in their order", () => {
  expect([...faults.map(([reason]) => reason), "internal_error"]).toEqual(REASON_NAMES);
});

describe.each(faults.map(([reason, spoil], index) => ({ reason, spoil, later: faults.slice(index + 1) })))(
  "$reason is the answer",
  ({ reason, spoil, later }) => {
    const answer = { reason, allowed: false };

    test("where it is the only fault", () => {
      expect(judge([spoil])).toEqual(answer);
    });

    test("beside any one fault that is judged later", () => {
      const answers = later.map(([, other]) => judge([other, spoil]));
      expect(answers).toEqual(later.map(() => answer));
    });

    test("beside all faults that are judged later", () => {
      expect(judge([...later.map(([, other]) => other).toReversed(), spoil])).toEqual(answer);
    });
  },
);

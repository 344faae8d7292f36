import { describe, expect, test } from "vitest";
import type { CredentialSource } from "../../src/check/credential.ts";
import { HeaderValueOption_HeaderAppendAction } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import type { Described, HeaderList } from "../support/check-request.ts";
import { policyOf } from "../support/policies.ts";
import { createSampleCheck } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { headersOf, verdictOf } from "../support/verdict.ts";

const KEY = secretOf("a");
const OTHER = secretOf("b");

const credentials: readonly CredentialSource[] = [
  { from: "bearer" },
  { from: "header", name: "x-api-key" },
  { from: "basic", username: "keyward" },
  { from: "query", name: "api_key" },
  { from: "cookie", name: "api_key" },
];

const check = createSampleCheck({
  credentials,
  policy: policyOf([{ path: "/open", access: "public" }], "authenticated"),
  store: storeOf({ [KEY]: recordOf({ id: "key_1" }) }),
});

const basic = (username: string, secret: string): HeaderList[number] => {
  return ["authorization", `Basic ${btoa(`${username}:${secret}`)}`];
};

/** Names of headers that carry credentials. */
const CARRIERS = ["authorization", "x-api-key", "cookie"];

/** What Envoy is told to do with what may carry a credential. */
function told(described: Described) {
  const verdict = verdictOf(check(described));
  return {
    reason: verdict.metadata.reason,
    removed: verdict.removed.filter((name) => CARRIERS.includes(name)).toSorted(),
    parameters: verdict.removedParameters.toSorted(),
    cookie: verdict.answer === "ok" ? headersOf(verdict).cookie : undefined,
  };
}

const untouched = { removed: [], parameters: [], cookie: undefined };

describe.each(["header_map", "headers"] as const)(
  "with %s, what carried the key does not reach the upstream:",
  (form) => {
    test.each<[string, Described, object]>([
      ["Basic", { headers: [basic("keyward", KEY)] }, { removed: ["authorization"] }],
      ["a query key", { path: `/?api_key=${KEY}` }, { parameters: ["api_key"] }],
      ["a query key among others", { path: `/v1?a=1&api%5Fkey=${KEY}&b=2` }, { parameters: ["api%5Fkey"] }],
      ["the only cookie", { headers: [["cookie", `api_key=${KEY}`]] }, { removed: ["cookie"] }],
      ["one of several cookies", { headers: [["cookie", `a=1; api_key=${KEY}; b="2"`]] }, { cookie: 'a=1; b="2"' }],
      ["a cookie behind a comma", { headers: [["cookie", `a=1,api_key=${KEY}`]] }, { cookie: "a=1" }],
      [
        "a key in its header: query and cookies stay",
        {
          path: "/?api_key2=1",
          headers: [
            ["x-api-key", KEY],
            ["cookie", "a=1"],
          ],
        },
        { removed: ["x-api-key"] },
      ],
      [
        "the same key everywhere",
        {
          path: `/?api_key=${KEY}`,
          headers: [
            ["authorization", `Bearer ${KEY}`],
            ["x-api-key", KEY],
            ["cookie", `api_key=${KEY}; a=1`],
          ],
        },
        { removed: ["authorization", "x-api-key"], parameters: ["api_key"], cookie: "a=1" },
      ],
    ])("%s", (_title, described, gone) => {
      expect(told({ ...described, form })).toEqual({ ...untouched, reason: "allowed", ...gone });
    });

    test.each<[string, Described, string]>([
      ["Basic of another user", { headers: [basic("keywarD", KEY)] }, "unknown_key"],
      ["Basic with a key that nobody has", { headers: [basic("keyward", OTHER)] }, "unknown_key"],
      ["Basic without its padding", { headers: [["authorization", "Basic a2V5d2FyZDp"]] }, "malformed_credential"],
      ["a query key that nobody has", { path: `/?api_key=${OTHER}` }, "unknown_key"],
      ["a query key under another name", { path: `/?api_keys=${KEY}` }, "no_credential"],
      ["a query key twice", { path: `/?api_key=${KEY}&api_key=${KEY}` }, "ambiguous_credential"],
      ["two query keys", { path: "/?api_key=a&api_key=b" }, "ambiguous_credential"],
      ["a query key behind a semicolon", { path: `/?a;api_key=${KEY}` }, "no_credential"],
      ["a query key in a fragment", { path: `/#?api_key=${KEY}` }, "ambiguous_path"],
      ["a cookie with a key that nobody has", { headers: [["cookie", `api_key=${OTHER}`]] }, "unknown_key"],
      ["a cookie in quotes", { headers: [["cookie", `api_key="${KEY}"`]] }, "malformed_credential"],
      ["a cookie twice", { headers: [["cookie", `api_key=${KEY}; api_key=${KEY}`]] }, "ambiguous_credential"],
      [
        "two Cookie headers with the key in both",
        {
          headers: [
            ["cookie", `api_key=${KEY}`],
            ["cookie", `api_key=${KEY}`],
          ],
        },
        "ambiguous_credential",
      ],
      [
        "a key in the query and another in a cookie",
        { path: `/?api_key=${KEY}`, headers: [["cookie", `api_key=${OTHER}`]] },
        "ambiguous_credential",
      ],
    ])("%s is refused, and takes nothing out", (_title, described, reason) => {
      expect(told({ ...described, form })).toEqual({ ...untouched, reason });
    });

    test.each<[string, Described, object]>([
      ["nothing at all", {}, {}],
      ["Basic with our key", { headers: [basic("keyward", KEY)] }, { removed: ["authorization"] }],
      ["Basic with our key and another user", { headers: [basic("alice", KEY)] }, { removed: ["authorization"] }],
      ["Basic with a password", { headers: [basic("keyward", "pass")] }, {}],
      ["a query key that nobody has", { path: `/open?api_key=${OTHER}` }, { parameters: ["api_key"] }],
      [
        "every spelling of a query key",
        { path: `/open?api_key=${KEY}&api%5Fkey=${OTHER}` },
        { parameters: ["api%5Fkey", "api_key"] },
      ],
      ["another's query key", { path: "/open?api_key=sk-1" }, {}],
      ["the only cookie", { headers: [["cookie", `api_key=${KEY}`]] }, { removed: ["cookie"] }],
      ["one of several cookies", { headers: [["cookie", `a=1; api_key=${OTHER}`]] }, { cookie: "a=1" }],
      [
        "one of two Cookie headers",
        {
          headers: [
            ["cookie", "a=1"],
            ["cookie", `api_key=${OTHER}; b=2`],
          ],
        },
        { cookie: "a=1; b=2" },
      ],
      ["another's cookie", { headers: [["cookie", "a=1; api_key=sk-1"]] }, {}],
    ])("a public route does as with any key of our form: %s", (_title, described, gone) => {
      expect(told({ path: "/open", ...described, form })).toEqual({ ...untouched, reason: "public", ...gone });
    });
  },
);

test("two Cookie headers that Envoy leaves apart are ambiguous, and as one they are not", () => {
  const headers: HeaderList = [
    ["cookie", "a=1"],
    ["cookie", `api_key=${KEY}`],
  ];
  expect(told({ headers, form: "header_map" })).toEqual({ ...untouched, reason: "ambiguous_credential" });
  expect(told({ headers, form: "headers" })).toEqual({ ...untouched, reason: "allowed", cookie: "a=1" });
});

test("the other cookies replace the header in both of the ways that Envoy reads", () => {
  const { headers } = verdictOf(check({ headers: [["cookie", `a=1; api_key=${KEY}`]] }));
  const { append, appendAction } = headers.find(({ header }) => header?.key === "cookie") ?? {};
  expect({ append, appendAction }).toEqual({
    append: false,
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  });
});

test("an answer can be read whatever bytes stand in the other cookies", () => {
  const latin = "b=caf\xe9";
  const utf8 = "c=caf\xc3\xa9";
  const answer = Buffer.from(check({ headers: [["cookie", `${latin}; ${utf8}; api_key=${KEY}`]] }));
  expect(headersOf(verdictOf(answer)).cookie).toBe("c=café");
  expect(answer.includes("b=caf")).toBe(false);
  expect(answer.includes("c=café")).toBe(true);
});

describe("a wrong user name and a key that nobody has", () => {
  const broken = {
    find: () => {
      throw new Error("disk gone");
    },
  };

  /** The answer to a key with the right user name and with a wrong one. */
  function answers(secret: string, headers: HeaderList, path: string, store = storeOf({ [KEY]: recordOf() })) {
    const judge = createSampleCheck({ credentials, store });
    return ["keyward", "keywarD"].map((username) => {
      return Buffer.from(judge({ path, headers: [basic(username, secret), ...headers] })).toString("latin1");
    });
  }

  test.each<[string, string, HeaderList, string, string]>([
    ["alone", OTHER, [], "/", "unknown_key"],
    ["beside the same key in its header", OTHER, [["x-api-key", OTHER]], "/", "unknown_key"],
    ["beside another key", OTHER, [["x-api-key", KEY]], "/", "ambiguous_credential"],
    ["beside the same key in the query", OTHER, [], `/?api_key=${OTHER}`, "unknown_key"],
    ["with a mistyped key", OTHER.slice(1), [], "/", "malformed_credential"],
    ["without a key", "", [], "/", "malformed_credential"],
  ])("get the same answer, byte by byte: %s", (_title, secret, headers, path, reason) => {
    const [right, wrong] = answers(secret, headers, path);
    expect(wrong).toBe(right);
    expect(right).toContain(reason);
  });

  test("get the same answer while the store cannot tell", () => {
    const [right, wrong] = answers(OTHER, [], "/", broken);
    expect(wrong).toBe(right);
    expect(right).toContain("store_unavailable");
  });

  test("get the same answer as the wrong user name with a good key", () => {
    const [right, wrong] = answers(KEY, [], "/");
    expect(verdictOf(Buffer.from(right ?? "", "latin1"))).toMatchObject({ code: 0 });
    expect(wrong).toBe(answers(OTHER, [], "/")[0]);
  });
});

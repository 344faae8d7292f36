import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CreateKeyRequestSchema, KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { CLIENTS } from "./support/clients.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

const MOST_REQUESTS = "must be >= 1 and <= 1000000";
const MOST_SECONDS = "must be whole seconds >= 1 and <= 2678400";

/** A rate limit, and what its refusal says of which field; none: a key keeps just this. */
type Row = [title: string, rateLimit: object, ...violations: [field: string, description: string][]];

const ROWS: Row[] = [
  ["1 request", { requests: 1, window: "60s" }],
  ["0 requests", { requests: 0, window: "60s" }, ["rate_limit.requests", `0 ${MOST_REQUESTS}`]],
  ["no number of requests", { window: "60s" }, ["rate_limit.requests", `0 ${MOST_REQUESTS}`]],
  ["less than no requests", { requests: -1, window: "60s" }, ["rate_limit.requests", `-1 ${MOST_REQUESTS}`]],
  ["1,000,000 requests", { requests: 1_000_000, window: "60s" }],
  ["1,000,001 requests", { requests: 1_000_001, window: "60s" }, ["rate_limit.requests", `1000001 ${MOST_REQUESTS}`]],
  [
    "as many requests as the field can say",
    { requests: 2 ** 31 - 1, window: "60s" },
    ["rate_limit.requests", `2147483647 ${MOST_REQUESTS}`],
  ],
  [
    "as few requests as the field can say",
    { requests: -(2 ** 31), window: "60s" },
    ["rate_limit.requests", `-2147483648 ${MOST_REQUESTS}`],
  ],

  ["a window of 1 second", { requests: 5, window: "1s" }],
  ["no window", { requests: 5 }, ["rate_limit.window", "is required"]],
  ["a window of 0 seconds", { requests: 5, window: "0s" }, ["rate_limit.window", MOST_SECONDS]],
  ["a window of half a second", { requests: 5, window: "0.500s" }, ["rate_limit.window", MOST_SECONDS]],
  ["a window of one and a half seconds", { requests: 5, window: "1.500s" }, ["rate_limit.window", MOST_SECONDS]],
  ["a window below 0", { requests: 5, window: "-1s" }, ["rate_limit.window", MOST_SECONDS]],
  ["a window of 31 days", { requests: 5, window: "2678400s" }],
  ["a window of 31 days and a second", { requests: 5, window: "2678401s" }, ["rate_limit.window", MOST_SECONDS]],
  [
    "a window as long as the field can say",
    { requests: 5, window: "315576000000s" },
    ["rate_limit.window", MOST_SECONDS],
  ],

  ["nothing at all", {}, ["rate_limit.requests", `0 ${MOST_REQUESTS}`], ["rate_limit.window", "is required"]],
];

describe.each<[method: string, ask: (rateLimit: object) => Promise<object>]>([
  ["CreateKey", async (rateLimit) => ({ name: "k", rateLimit })],
  ["UpdateKey", async (rateLimit) => ({ key: await newKey(), updateMask: "rateLimit", rateLimit })],
])("a rate limit in %s", (method, ask) => {
  test.each<Row>(ROWS.filter((row) => row.length === 2))("of %s is kept", async (_, rateLimit) => {
    const { status, answer } = await served().post(`KeyService/${method}`, await ask(rateLimit));
    expect({ status, answer }).toMatchObject({ status: 200, answer: { key: { rateLimit } } });
  });

  test.each<Row>(ROWS.filter((row) => row.length > 2))("of %s is refused", async (_, rateLimit, ...violations) => {
    const { status, refused } = await served().post(`KeyService/${method}`, await ask(rateLimit));
    expect({ status, refused }).toMatchObject({
      status: 400,
      refused: {
        code: "invalid_argument",
        reason: "INVALID_ARGUMENT",
        fields: violations.map(([field]) => field),
        descriptions: violations.map(([, description]) => description),
        message: violations.map((violation) => violation.join(" ")).join("; "),
      },
    });
  });

  test.each<[title: string, rateLimit: object]>([
    ["more requests than the field can say", { requests: 2 ** 31, window: "60s" }],
    ["half a request", { requests: 0.5, window: "60s" }],
    ["a window longer than a duration can say", { requests: 5, window: "315576000001s" }],
    ["a window in minutes", { requests: 5, window: "1m" }],
    ["a window as a number", { requests: 5, window: 60 }],
  ])("of %s is an invalid argument", async (_, rateLimit) => {
    const { status, refused } = await served().post(`KeyService/${method}`, await ask(rateLimit));
    expect([status, refused?.code]).toEqual([400, "invalid_argument"]);
  });
});

/** Makes a key without a rate limit and returns its id. */
async function newKey(): Promise<string> {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k" });
  return (answer.key as { id: string }).id;
}

test.each<[title: string, window: object | undefined, ...violations: string[]]>([
  ["a second", { seconds: 1n }],
  ["more seconds than a number can say", { seconds: 2n ** 62n }, "rate_limit.window"],
  ["a second and a nanosecond", { seconds: 1n, nanos: 1 }, "rate_limit.window"],
  ["a second less a nanosecond", { seconds: 1n, nanos: -1 }, "rate_limit.window"],
  ["no second", {}, "rate_limit.window"],
  ["nothing", undefined, "rate_limit.window"],
])("in binary, where a window is numbers: %s", async (_, window, ...fields) => {
  const client = CLIENTS["Connect over HTTP/1.1"]?.(served().socket) ?? served().local;
  const rateLimit = { requests: 5, ...(window && { window }) };
  const refused = await client
    .call(KeyService.method.createKey, create(CreateKeyRequestSchema, { name: "k", rateLimit }))
    .then(
      () => [],
      (error) => error.fields,
    );
  expect(refused).toEqual(fields);
});

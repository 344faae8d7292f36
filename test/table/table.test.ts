import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../support/admin-call.ts";
import { until } from "../support/until.ts";
import { KEYS, type KeyName, type TableKey } from "./keys.ts";
import { parseTables } from "./parse-table.ts";
import { REQUESTS, type RequestName } from "./requests.ts";
import { TABLES, WORDS } from "./table.ts";
import {
  type Answer,
  isExplainable,
  isOfDialects,
  openTransports,
  TRANSPORT_NAMES,
  type TransportName,
  type Transports,
} from "./transports.ts";

const KEY_NAMES = namesOf(KEYS);
const WORD_NAMES = namesOf(WORDS);
const CELLS = parseTables(TABLES, { rows: KEY_NAMES, columns: namesOf(REQUESTS), words: WORD_NAMES });

/** Each of the transports is asked so much at the least. */
const LEAST = 300;

let transports: Transports;
let other: TableKey;
const keys = new Map<KeyName, TableKey>();

beforeAll(async () => {
  transports = await openTransports();
  const { adminSocket } = transports;
  for (const name of KEY_NAMES) keys.set(name, await KEYS[name](adminSocket));
  other = await createKey(adminSocket, { scopes: ["*"] });
  // This process and the running program each count for themselves.
  for (const program of ["check(bytes)", "the gRPC socket"] as const) {
    expect(await answerTo(program, "used up", "ping")).toMatchObject({ reason: "allowed" });
  }
  await until("the short grace period is over", async () => {
    return (await answerTo("the gRPC socket", "rotated, grace over", "ping")).reason === "key_expired";
  });
});

afterAll(() => transports?.stop());

describe.each(TRANSPORT_NAMES)("through %s", (transport) => {
  const cells = CELLS.filter((cell) => isAskable(transport, cell));
  let asked = 0;

  test.each([...new Set(cells.map(({ row }) => row))])("%s × each request: as the table says", async (key) => {
    const row = cells.filter((cell) => cell.row === key);
    const answers = await Promise.all(
      row.map(async ({ column }) => [column, wordOf(await answerTo(transport, key, column), keyOf(key).id)] as const),
    );
    asked += answers.length;
    expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(row.map(({ column, word }) => [column, word])));
  });

  test(`at least ${LEAST} answers were compared`, () => {
    expect(asked).toBe(cells.length);
    expect(asked).toBeGreaterThanOrEqual(LEAST);
  });
});

test("each word of the table stands for a reason of its own, and is an answer somewhere", () => {
  expect(new Set(Object.values(WORDS).map(([reason]) => reason)).size).toBe(WORD_NAMES.length);
  expect(new Set(CELLS.map(({ word }) => word))).toEqual(new Set(WORD_NAMES));
});

/** Whether a transport can put a question: some have no words for how a key is presented, or that none is. */
function isAskable(transport: TransportName, { column, parenthesized }: (typeof CELLS)[number]): boolean {
  if (transport.startsWith("HTTP as ")) return isOfDialects(REQUESTS[column]("secret", "other"));
  if (transport === "ExplainCheck") return isExplainable(REQUESTS[column]("secret", "other"));
  return (transport !== "decide" && transport !== "VerifyKey") || !parenthesized;
}

function keyOf(name: KeyName): TableKey {
  const key = keys.get(name);
  if (key === undefined) throw new Error(`the key ${name} was not made`);
  return key;
}

function answerTo(transport: TransportName, key: KeyName, request: RequestName): Promise<Answer> {
  const { secret } = keyOf(key);
  return transports.ask(transport, REQUESTS[request](secret, other.secret), secret);
}

/** The word for an answer that is right in all its parts; else the answer itself. */
function wordOf({ reason, status, keyId }: Answer, ownId: string): string {
  const toldOf = reason === "allowed" ? ownId : undefined;
  const isRight = (word: keyof typeof WORDS) => {
    const [wordsReason, wordsStatus] = WORDS[word];
    return wordsReason === reason && wordsStatus === (status ?? wordsStatus) && keyId === toldOf;
  };
  return WORD_NAMES.find(isRight) ?? `${status} ${reason}, upstream told of ${keyId}`;
}

function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(record) as Name[];
}

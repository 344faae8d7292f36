import { isIP } from "node:net";
import { GetDecisionRequestSchema } from "../../gen/keyward/admin/v1/decision_pb.ts";
import { ExplainCheckRequestSchema } from "../../gen/keyward/admin/v1/explain_check_pb.ts";
import { VerifyKeyRequestSchema } from "../../gen/keyward/admin/v1/verify_key_pb.ts";
import { MAX_TOKEN_LENGTH } from "../../key/token.ts";
import { pointInTime } from "../keys/expiry-rules.ts";
import { type Problem, rulesOf } from "../rules/rule.ts";
import { atMost, fewerThan, keyName, quote, required, scopeList } from "../rules/value-rules.ts";

/** As long as a key that stands in it, and far more than proxies take by default. */
const MAX_PATH_LENGTH = 8_192;
const MAX_HOST_LENGTH = 1_000;
const MAX_METHOD_LENGTH = 100;
const MAX_ENTRIES = 20;
const MAX_ENTRY_LENGTH = 1_000;

const method = (text: string) => atMost(text, MAX_METHOD_LENGTH);
const path = (text: string) => atMost(text, MAX_PATH_LENGTH);
const host = (text: string) => atMost(text, MAX_HOST_LENGTH);
const ip = (text: string) =>
  text === "" || (isIP(text) !== 0 && !text.includes("%"))
    ? undefined
    : `${quote(text)} must be an IPv4 or IPv6 address`;

/** The bounds of what judges keys. What the data plane refuses is within them: that is what is asked about. */
export const CHECK_RULES = [
  rulesOf(GetDecisionRequestSchema, {
    decisionId: (id) => (/^[0-9a-f-]{36}$/.test(id) ? undefined : 'must be 36 characters of 0-9, a-f and "-"'),
  }),
  rulesOf(ExplainCheckRequestSchema, {
    key: (key) => atMost(key, MAX_TOKEN_LENGTH),
    method: (text) => required(text) ?? method(text),
    path: (text) => required(text) ?? path(text),
    host,
    ip,
    at: (at) => at && pointInTime(at),
    contextExtensions: entries,
    headers: entries,
  }),
  rulesOf(VerifyKeyRequestSchema, {
    key: keyName,
    method: (text, request) => (request.path !== "" ? required(text) : undefined) ?? method(text),
    path,
    host,
    ip,
    scopes: scopeList,
  }),
];

function entries(texts: Readonly<Record<string, string>>): Problem {
  const long = Object.entries(texts)
    .flat()
    .find((text) => text.length > MAX_ENTRY_LENGTH);
  if (long !== undefined) return `holds a text of ${long.length} characters; each must have <= ${MAX_ENTRY_LENGTH}`;
  return fewerThan(Object.keys(texts), MAX_ENTRIES);
}

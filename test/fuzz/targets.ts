import { deepStrictEqual } from "node:assert";
import fc from "fast-check";
import { createCheck, createHttpCheck } from "../../src/check/check.ts";
import { createDecode } from "../../src/check/decode.ts";
import type { HttpRequest } from "../../src/check/http/request.ts";
import { latin1 } from "../../src/serve/latin1.ts";
import { type Campaign, tryOut } from "../support/campaign.ts";
import { identityHeaders, sampleContext } from "../support/sample-check.ts";
import { verdictOf } from "../support/verdict.ts";
import { httpRequests, readAsDialect, STATUSES } from "./dialect-requests.ts";
import { mayPass, presentedIn } from "./judge.ts";
import { type Read, readAsProtobuf } from "./reading.ts";
import { KEY, PORTS, RECORD, worded } from "./requests.ts";
import { wireMessages } from "./wire-message.ts";

/** What is tried, and what must hold of each case. */
interface Target<Case> {
  readonly cases: fc.Arbitrary<Case>;
  /** Throws where it does not hold, and says whether the case was of the kind that is counted. */
  holds(one: Case): boolean;
  /** What is counted, and the least share of it: fewer would mean that the generator is off the mark. */
  readonly counted: string;
  readonly least: number;
}

/** Tries one target, and says in words what came of it. Throws with the smallest case that does not hold. */
type Try = (campaign: Campaign) => string;

const WATCHED = { credentials: ["authorization", "x-api-key", "cookie"], identity: Object.values(identityHeaders) };
const decode = createDecode(WATCHED, latin1);
const check = createCheck(PORTS);
const checkHttp = createHttpCheck(PORTS);

/** What Envoy may send, and what befalls it, is read as protobuf-es reads it, or not at all. */
const decodeTarget: Target<Uint8Array> = {
  cases: wireMessages(worded),
  counted: "read by both",
  least: 0.2,
  holds(bytes) {
    const ours = decode(bytes);
    if (ours === undefined) return false;
    const theirs = readAsProtobuf(bytes);
    if (theirs === undefined) throw new Error("protobuf-es reads nothing there");
    const agreed = (text: string, name: string) =>
      valuesOf(theirs, name).some((other) => other !== text) ? undefined : text;
    // One that stands twice in the map `headers` is one to protobuf and two to us, who refuse it later.
    const doubled = new Set(ours.headers.map(({ name }) => name).filter((name, at, all) => all.indexOf(name) !== at));
    const headers = theirs.headers.map(([name, value]) => [name.toLowerCase(), value] as const);
    const compared = (list: readonly (readonly [string, string])[]) =>
      list.filter(([name]) => WATCHED.credentials.includes(name) && (theirs.isRaw || !doubled.has(name)));
    deepStrictEqual(
      {
        method: ours.method,
        path: ours.target,
        host: ours.authority,
        address: ours.sourceAddress || undefined,
        bytesKnown: ours.bytesKnown,
        headers: compared(ours.headers.map(({ name, value }) => [name, value])),
        extensions: Object.fromEntries(ours.extensions.map(({ name, value }) => [name, value])),
      },
      {
        method: agreed(theirs.method, ":method"),
        path: agreed(theirs.path, ":path"),
        host: agreed(theirs.host, ":authority"),
        address: theirs.address,
        bytesKnown: theirs.bytesKnown,
        headers: compared(headers),
        extensions: Object.fromEntries(Object.entries(theirs.extensions).filter(([name]) => /^keyward\./i.test(name))),
      },
    );
    const unseen = identityIn(theirs.headers).find(([name]) => !ours.identitySpellings.includes(name.toLowerCase()));
    if (unseen !== undefined) throw new Error(`${unseen[0]} is an identity header, and was not seen`);
    return true;
  },
};

/** Any bytes are answered, and let through only with the one key, or where everybody is. */
const checkTarget: Target<Uint8Array> = {
  cases: fc.oneof(
    { weight: 30, arbitrary: wireMessages(worded) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  ),
  counted: "allowed",
  least: 0.05,
  holds(bytes) {
    const answer = check(bytes, sampleContext);
    const verdict = verdictOf(answer);
    if (answer.length > bytes.length + MOST_ANSWER_BYTES) throw new Error(`an answer of ${answer.length} bytes`);
    if (verdict.code !== 0) {
      if (verdict.answer !== "denied" || ![7, 16].includes(verdict.code))
        throw new Error(`code ${verdict.code} (${verdict.answer})`);
      return false;
    }
    const request = readAsProtobuf(bytes);
    const why = request && mayPass(request, KEY);
    if (request === undefined || why === undefined || verdict.answer !== "ok")
      throw new Error("this must not be let through");
    const set = verdict.headers.map(({ header }) => [header?.key ?? "", header?.value ?? ""] as const);
    const removed = new Set(verdict.removed);
    const kept = request.headers.filter(([name]) => !set.some(([other]) => other === name.toLowerCase()));
    const headers = [...kept, ...set].filter(([name]) => !removed.has(name.toLowerCase()));
    assertClean({ headers, path: withoutParameters(request.path, verdict.removedParameters) }, why === "key");
    return true;
  },
};

/** Whatever a gateway asks is answered with what it understands, and let through as above. */
const httpTarget: Target<HttpRequest> = {
  cases: httpRequests,
  counted: "allowed",
  least: 0.05,
  holds(request) {
    const { status, headers, body } = checkHttp(request, sampleContext);
    const names = headers.map(([name]) => name);
    if (new Set(names).size !== names.length) throw new Error(`a header is there twice: ${names}`);
    if (headers.some(([, value]) => /[^\t -~\x80-\xff]/.test(value))) throw new Error("a header cannot be sent");
    if (!STATUSES[request.dialect].includes(status)) throw new Error(`${request.dialect} is answered with ${status}`);
    if (status !== 200) return false;
    const read = readAsDialect(request);
    const why = read && mayPass(read, KEY);
    if (read === undefined || why === undefined || body !== "") throw new Error("this must not be let through");
    const set = headers.filter(([name]) => IDENTITY.has(name) || name === "cookie");
    if (set.length < IDENTITY.size) throw new Error("an identity header is not told");
    if (request.dialect !== "envoy") {
      assertClean({ headers: set, path: "/" }, why === "key");
      return true;
    }
    const removed = new Set(headers.find(([name]) => name === "x-envoy-auth-headers-to-remove")?.[1].split(","));
    const kept = read.headers.filter(([name]) => !set.some(([other]) => other === name.toLowerCase()));
    const left = [...kept, ...set].filter(([name]) => !removed.has(name.toLowerCase()));
    assertClean({ headers: left, path: "/" }, why === "key");
    return true;
  },
};

/** Beside what the client sent (cookies, names of parameters, spellings of headers), an answer is about so long. */
const MOST_ANSWER_BYTES = 4096;

const IDENTITY = new Map([
  [identityHeaders.keyId, RECORD.id],
  [identityHeaders.owner, RECORD.owner],
  [identityHeaders.tenant, RECORD.tenant],
  [identityHeaders.scopes, RECORD.scopes.join(" ")],
]);

function identityIn(headers: Read["headers"]): Read["headers"] {
  return headers.filter(([name]) => IDENTITY.has(name.toLowerCase().replaceAll(/[_.]/g, "-")));
}

function valuesOf({ headers }: Read, name: string): readonly string[] {
  return headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

/** Throws where what the upstream gets holds the key still, or an identity that Keyward did not give. */
function assertClean(request: Pick<Read, "headers" | "path">, isKeys: boolean): void {
  if (presentedIn(request).includes(KEY.secret)) throw new Error("the key reaches the upstream");
  for (const [name, value] of identityIn(request.headers)) {
    const given = isKeys ? IDENTITY.get(name) : "";
    if (value !== given) throw new Error(`the upstream is told ${name}: ${value}`);
  }
}

function withoutParameters(path: string, removed: readonly string[]): string {
  const [before = "", ...query] = path.split("?");
  const left = query
    .join("?")
    .split("&")
    .filter((pair) => !removed.includes(pair.split("=", 1)[0] ?? ""));
  return `${before}?${left.join("&")}`;
}

function trying<Case>(name: string, { cases, holds, counted, least }: Target<Case>): Try {
  return (campaign) => {
    let tried = 0;
    let count = 0;
    const { seconds } = tryOut(
      name,
      cases,
      (one) => {
        tried++;
        if (holds(one)) count++;
      },
      campaign,
    );
    if (count < tried * least) throw new Error(`of ${tried}, ${count} ${counted}: too few to say anything`);
    return `${tried} tried, ${count} ${counted}, in ${seconds.toFixed(1)} s`;
  };
}

/** All targets by their names. */
export const TARGETS: ReadonlyMap<string, Try> = new Map([
  ["decode", trying("decode", decodeTarget)],
  ["check", trying("check", checkTarget)],
  ["http", trying("http", httpTarget)],
]);

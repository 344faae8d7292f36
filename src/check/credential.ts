import { type Flaw, flawOf } from "../key/flaw.ts";
import { isForeignSecret } from "../key/foreign.ts";
import { isSecret } from "../key/secret.ts";
import { isOwnToken, isToken } from "../key/token.ts";
import type { AccessRequest, Header } from "./access-request.ts";
import { readBasic } from "./basic.ts";
import { cookiesNamed, withoutCookies } from "./cookie.ts";
import { parametersNamed, type QueryParameter } from "./query.ts";
import { isWhiteSpace, trim } from "./white-space.ts";

/** A place where a key may be presented. Names of headers and schemes in lower case. */
export type CredentialSource =
  | { readonly from: "bearer" }
  | { readonly from: "scheme"; readonly name: string }
  | { readonly from: "header"; readonly name: string }
  /** The password is the key. The user name must be this one, or is not looked at where this is `*`. */
  | { readonly from: "basic"; readonly username: string }
  | { readonly from: "query"; readonly name: string }
  | { readonly from: "cookie"; readonly name: string };

/** `Authorization: Bearer KEY` (RFC 6750 §2.1), `Authorization: ApiKey KEY`, `x-api-key: KEY`. */
export const DEFAULT_SOURCES: readonly CredentialSource[] = [
  { from: "bearer" },
  { from: "scheme", name: "apikey" },
  { from: "header", name: "x-api-key" },
];

/** What must not reach the upstream, since it holds the secret. */
export interface Carriers {
  /** Headers, in lower case. */
  readonly headers: readonly string[];
  /** The rest of the cookies, where one held it; empty where no other is left. */
  readonly cookies?: string | undefined;
  /** Query parameters, in the spellings that were seen. */
  readonly parameters?: readonly string[] | undefined;
}

/** The secret that a caller presented, or why there is none. */
type Credential =
  | {
      readonly secret: string;
      readonly carriers: Carriers;
      /**
       * It stood beside a user name that is not the configured one: as if the key did not exist. It is looked up all the
       * same, so that no answer tells which half of user name and key was wrong.
       */
      readonly wrongUser?: true;
    }
  | "no_credential"
  | "ambiguous_credential"
  | Malformed;

/** Something was presented that is no key. */
interface Malformed {
  readonly malformed: true;
  /** What may have happened to it, for the sentence that the caller reads. */
  readonly flaw: Flaw | undefined;
}

/** The part of a request in which credentials may be. */
type Presented = Pick<AccessRequest, "headers" | "target">;

/** Reads credentials from a request. */
export interface CredentialReader {
  /** The headers it needs to see, in lower case. */
  readonly headers: readonly string[];
  /**
   * The secret the caller presented, and what carried it. Two different secrets in one request are refused, and so is a
   * place that is there twice, or a header that holds a comma: guessing which was meant is how the wrong key opens the
   * door. `takesForeign` lets through what is of no form of ours as well.
   */
  read(request: Presented, takesForeign?: boolean): Credential;
  /** What carries a text of our own key form, on a route where no credential is judged. */
  carriersOfSecrets(request: Presented): Carriers;
}

/** Makes the reader for the places that the configuration lists. */
export function createCredentialReader(sources: readonly CredentialSource[]): CredentialReader {
  const schemes = sources.flatMap((source) => schemeOf(source) ?? []);
  const keyHeaders = sources.flatMap((source) => (source.from === "header" ? [source.name] : []));
  const cookies = sources.flatMap((source) => (source.from === "cookie" ? [source.name] : []));
  const parameters = sources.flatMap((source) => (source.from === "query" ? [source.name] : []));
  const username = sources.find((source) => source.from === "basic")?.username;
  const watched = [
    ...(schemes.length > 0 ? [AUTHORIZATION] : []),
    ...keyHeaders,
    ...(cookies.length > 0 ? [COOKIE] : []),
  ];

  const placesIn = ({ headers, target = "" }: Presented): Place[] => {
    const places: Place[] = [];
    for (const name of watched) {
      const values = valuesOf(headers, name);
      if (values.length === 0) continue;
      if (name === COOKIE) places.push(...cookiePlaces(values, cookies));
      else if (keyHeaders.includes(name)) places.push({ header: name, texts: partsOf(values).map(trim) });
      else {
        const place = authorizationPlace(values, schemes, username);
        if (place !== undefined) places.push(place);
      }
    }
    for (const name of parameters) {
      const found = parametersNamed(name, target);
      if (found.length === 0) continue;
      places.push({ texts: found.map(({ value }) => value), parameters: found });
    }
    return places;
  };

  return {
    headers: watched,

    read(request, takesForeign = false) {
      const places = placesIn(request);
      const [first] = places;
      if (first === undefined) return "no_credential";
      const [secret = ""] = first.texts;
      for (const { texts } of places) if (texts.length > 1 || texts[0] !== secret) return "ambiguous_credential";
      if (!hasFormOfKey(secret, takesForeign)) return { malformed: true, flaw: flawOf(secret) };
      const carriers = carriersOf(places, () => true);
      return places.some(({ wrongUser }) => wrongUser) ? { secret, carriers, wrongUser: true } : { secret, carriers };
    },

    carriersOfSecrets: (request) =>
      carriersOf(
        placesIn(request).filter(({ texts }) => texts.some(isOwn)),
        isOwn,
      ),
  };
}

/** Whether a text can be a key: one of our form, or where keys were imported of any form that these can have. */
export function hasFormOfKey(text: string, takesForeign: boolean): boolean {
  return isSecret(text) || isToken(text) || (takesForeign && isForeignSecret(text));
}

/** One place in which something stands that is to be judged as a key. */
interface Place {
  /** What stands there, as often as it does: more than one is ambiguous, even the same one twice. */
  readonly texts: readonly string[];
  readonly header?: string;
  readonly wrongUser?: boolean;
  /** The name of a cookie, and the cookies among which it stands. */
  readonly cookie?: { readonly name: string; readonly header: string };
  readonly parameters?: readonly QueryParameter[];
}

const NONE: readonly QueryParameter[] = [];

/** Whether a text is of our own key form. A token that somebody else signs is not. */
function isOwn(text: string): boolean {
  return isSecret(text) || isOwnToken(text);
}

const AUTHORIZATION = "authorization";
const COOKIE = "cookie";

function schemeOf(source: CredentialSource): string | undefined {
  if (source.from === "bearer" || source.from === "basic") return source.from;
  return source.from === "scheme" ? source.name : undefined;
}

function valuesOf(headers: readonly Header[], name: string): readonly string[] {
  let values: string[] | undefined;
  for (const header of headers) {
    if (header.name !== name) continue;
    if (values === undefined) values = [header.value];
    else values.push(header.value);
  }
  return values ?? NO_VALUES;
}

const NO_VALUES: readonly string[] = [];

/** Envoy folds repeated headers with a comma, so a comma and a repetition are the same. */
function partsOf(values: readonly string[]): readonly string[] {
  const [value = ""] = values;
  return values.length === 1 && !value.includes(",") ? values : values.flatMap((each) => each.split(","));
}

/**
 * What `Authorization` presents. One of a foreign scheme is not looked at, commas in its parameters included; but beside
 * one of ours it is a second credential.
 */
function authorizationPlace(
  values: readonly string[],
  schemes: readonly string[],
  username: string | undefined,
): Place | undefined {
  const texts: string[] = [];
  let wrongUser = false;
  let isOurs = false;
  for (const part of partsOf(values)) {
    const presented = presentedBy(part, schemes, username);
    texts.push(presented?.text ?? "");
    if (presented === undefined) continue;
    isOurs = true;
    wrongUser ||= presented.wrongUser;
  }
  return isOurs ? { header: AUTHORIZATION, texts, wrongUser } : undefined;
}

/** What follows a configured scheme, or undefined. The scheme matches in any case (RFC 9110 §11.1). */
function presentedBy(
  credentials: string,
  schemes: readonly string[],
  username: string | undefined,
): { readonly text: string; readonly wrongUser: boolean } | undefined {
  const text = trim(credentials);
  const scheme = schemes.find((known) => beginsWithScheme(text, known));
  if (scheme === undefined) return undefined;
  const rest = trim(text.slice(scheme.length + 1));
  if (scheme !== "basic" || username === undefined) return { text: rest, wrongUser: false };
  const basic = readBasic(rest);
  if (basic === undefined) return { text: "", wrongUser: false };
  return { text: basic.password, wrongUser: username !== "*" && basic.username !== username };
}

/** Whether a text is a scheme, or one and white space behind it. */
function beginsWithScheme(text: string, scheme: string): boolean {
  const { length } = scheme;
  if (text.length !== length && !isWhiteSpace(text.charCodeAt(length))) return false;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if ((code >= 0x41 && code <= 0x5a ? code + 0x20 : code) !== scheme.charCodeAt(index)) return false;
  }
  return true;
}

/** More than one Cookie header is more than a client may send (RFC 6265 §5.4): one of them might not be rewritten. */
function cookiePlaces(values: readonly string[], names: readonly string[]): Place[] {
  const header = values.join("; ");
  return names.flatMap((name) => {
    const texts = values.flatMap((value) => cookiesNamed(name, value));
    if (texts.length === 0) return [];
    return [{ cookie: { name, header }, texts: values.length > 1 ? [...texts, ""] : texts }];
  });
}

/** What carries the texts that are to be taken out. A header goes as a whole; cookies and parameters one by one. */
function carriersOf(places: readonly Place[], isTaken: (text: string) => boolean): Carriers {
  const headers: string[] = [];
  let cookies: string | undefined;
  let spellings: Set<string> | undefined;
  for (const { header, cookie, parameters = NONE } of places) {
    if (header !== undefined) headers.push(header);
    // What one place leaves of the cookies is what the next one looks at.
    if (cookie)
      cookies = withoutCookies(cookies ?? cookie.header, (name, text) => name === cookie.name && isTaken(text));
    for (const { spelling, value } of parameters) {
      if (!isTaken(value)) continue;
      spellings ??= new Set();
      spellings.add(spelling);
    }
  }
  if (cookies === undefined && spellings === undefined) return { headers };
  return { headers, ...(cookies === undefined ? {} : { cookies }), ...(spellings && { parameters: [...spellings] }) };
}

/** Something that is wrong with one entry of `credentials`. */
export interface CredentialProblem {
  /** Its place in the list. */
  readonly source: number;
  readonly message: string;
}

/** Headers that mean something else: a key in one of them could not be taken out, or would be read as something else. */
const TAKEN_HEADERS = [
  "host",
  "cookie",
  "connection",
  "content-length",
  "transfer-encoding",
  "te",
  "upgrade",
  "x-forwarded-for",
];

/**
 * What is wrong with a list of places: a place twice, or one that has another meaning. `taken` are further headers, in any
 * spelling that some back ends read as the same: what a client sends under those is taken out, and not read.
 */
export function credentialProblems(
  sources: readonly CredentialSource[],
  taken: readonly string[],
): CredentialProblem[] {
  const seen = new Set<string>();
  const problems: CredentialProblem[] = [];
  for (const [index, source] of sources.entries()) {
    const report = (message: string) => problems.push({ source: index, message });
    const scheme = schemeOf(source);
    const place = scheme === undefined ? `${source.from} ${"name" in source ? source.name : ""}` : `scheme ${scheme}`;
    if (seen.has(place)) report(`names ${place} a second time`);
    seen.add(place);
    if (source.from === "scheme" && source.name === "basic") report("must say from: basic, with a username");
    if (source.from === "header") {
      const { name } = source;
      if (name === AUTHORIZATION) report("must say from: bearer, scheme or basic");
      else if (TAKEN_HEADERS.includes(name) || taken.some((other) => isSameHeader(other, name))) {
        report(`cannot be the header ${name}`);
      }
    }
  }
  return problems;
}

/** CGI and its heirs read `_` and `.` as `-`. */
function isSameHeader(one: string, other: string): boolean {
  return one.replaceAll(/[_.]/g, "-") === other.replaceAll(/[_.]/g, "-");
}

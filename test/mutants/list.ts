/** One way to break a file. The text must stand in it exactly once. */
export interface Mutant {
  readonly text: string;
  readonly instead: string;
}

/** Ways to break a file, and the tests each of which must notice: at least one of them, every time. */
export interface MutantsOfFile {
  readonly file: string;
  readonly tests: readonly string[];
  readonly mutants: readonly Mutant[];
}

function of(
  file: string,
  tests: readonly string[],
  mutants: readonly (readonly [text: string, instead: string])[],
): MutantsOfFile {
  const place = (test: string) => `test/${test}.test.ts`;
  return {
    file: `src/${file}.ts`,
    tests: tests.map(place),
    mutants: mutants.map(([text, instead]) => ({ text, instead })),
  };
}

/** Everything whose breaking would be a wrong allow, a leak or a key that stays open. A new guard brings its mutant along. */
export const MUTANTS: readonly MutantsOfFile[] = [
  of(
    "check/path",
    ["check/path"],
    [
      ["if (target.charCodeAt(0) !== SLASH) return undefined;", ""],
      ["if (code === QUESTION_MARK) break;", ""],
      ["index === segment || isDots(target, segment, index)", "isDots(target, segment, index)"],
      ["index === segment || isDots(target, segment, index)", "index === segment"],
      ["if (isDots(target, segment, index) || ", "if ("],
      ["|| !isPlainQuery(target, index)", ""],
      ["(code === EXCLAMATION_MARK && !bytesKnown)", "false"],
      ["code > 0x20 && code < 0x7f && ", "code > 0x20 && "],
      [" && code !== 0x5c && code", " && code"],
      [" && code !== 0x3b &&", " &&"],
      [" && code !== 0x23;", ";"],
      ["lead < 0x20 || REFUSED", "REFUSED"],
      ["[0x2f, 0x5c, 0x2e, 0x25,", "[0x5c, 0x2e, 0x25,"],
      ["0x5c, 0x2e, 0x25,", "0x5c, 0x25,"],
      ["0x2e, 0x25, 0x3b,", "0x2e, 0x3b,"],
      ["lead < 0xc2 ||", "lead < 0xc0 ||"],
      ["lead === 0xe0 ? 0xa0", "lead === 0xe0 ? 0x80"],
      ["lead === 0xed ? 0x9f", "lead === 0xed ? 0xbf"],
      ["path.charCodeAt(opened.length) === SLASH;", "true;"],
      ["path.length === opened.length - 1 && opened.endsWith(path)", "opened.endsWith(path)"],
      ["path.length === opened.length - 1 && opened.endsWith(path)", "path.length === opened.length - 1"],
      ["hasUpperCase(decoded) ? lowerCase(decoded) : decoded", "decoded"],
      ['trimmed.includes("%") ? decodeEvery(trimmed) : trimmed', "trimmed"],
    ],
  ),
  of(
    "check/decide",
    ["check/decide", "check/rate-limited"],
    [
      ["if (refusing !== undefined) return", "if (refusing === rule) return"],
      ["taken === undefined || taken.allowed", "true"],
      ['if (rule.access !== "authenticated") return deny("internal_error", rule, record, scopes);', ""],
      [
        'rule.access === "public" ? new Allowed(rule, undefined, NO_SCOPES)',
        "rule ? new Allowed(rule, undefined, NO_SCOPES)",
      ],
      ["return #made in value && value.#made;", "return true;"],
    ],
  ),
  of(
    "check/judgements",
    ["check/decide"],
    [
      ['state === "revoked"', "false"],
      ['state === "disabled"', "false"],
      ["record.ownerLimits?.disabled === true", "false"],
      ['state === "expired"', "false"],
      ["nowMs < (record.notBeforeMs ?? nowMs)", "false"],
      ["nowMs < (record.notBeforeMs ?? nowMs)", "nowMs <= (record.notBeforeMs ?? 0)"],
      ["(address !== undefined && networks.has(address))", "address === undefined || networks.has(address)"],
      ["(tenant !== undefined || record.tenant === undefined)", "true"],
      ["methods.includes(method)", "methods.some((one) => one.toUpperCase() === method)"],
      ["if (liesUnder(path, opened)) return true", "return true"],
      ["rule.scopes.every(isGranted)", "rule.scopes.some(isGranted)"],
      ["if (rule.scopes.length === 0) return true;", ""],
      ["return judged.rule.also?.find((rule) => refuses({ ...judged, rule }));", "return undefined;"],
    ],
  ),
  of(
    "check/credential",
    ["check/credential", "check/presentations", "check/basic"],
    [
      ["if (texts.length > 1 || texts[0] !== secret)", "if (texts[0] !== secret)"],
      ["if (texts.length > 1 || texts[0] !== secret)", "if (texts.length > 1)"],
      ["places.some(({ wrongUser }) => wrongUser)", "false"],
      ['values.length === 1 && !value.includes(",") ?', "values.length === 1 ?"],
      ["(code >= 0x41 && code <= 0x5a ? code + 0x20 : code) !== scheme", "code !== scheme"],
      ["if (text.length !== length && !isWhiteSpace(text.charCodeAt(length))) return false;", ""],
      ['texts.push(presented?.text ?? "");', "if (presented !== undefined) texts.push(presented.text);"],
      ['values.length > 1 ? [...texts, ""] : texts', "texts"],
      ["if (header !== undefined) headers.push(header);", ""],
      ["spellings.add(spelling);", ""],
      ["|| (takesForeign && isForeignSecret(text))", "|| isForeignSecret(text)"],
    ],
  ),
  of(
    "check/cookie",
    ["check/cookie", "check/stripping"],
    [
      ["split(/[;,]/)", 'split(";")'],
      ["SENDABLE.test(pair) && ", ""],
    ],
  ),
  of(
    "check/query",
    ["check/query"],
    [
      ["if (decode(spelling) === name)", "if (spelling === name)"],
      ['.replaceAll("+", " ")', ""],
    ],
  ),
  of(
    "check/basic",
    ["check/basic"],
    [
      ["btoa(decoded) === text ? decoded : undefined", "decoded"],
      ["if (code < 0x20 || code === 0x7f) return undefined;", ""],
    ],
  ),
  of(
    "check/lookup",
    ["check/lookup", "check/foreign-keys"],
    [
      ["throw new StoreUnavailableError(error);", "return undefined;"],
      ["|| isSecret(secret)) return record;", ") return record;"],
      ["find(digest(secret), store)", "find(secret, store)"],
    ],
  ),
  of(
    "check/check",
    ["check/order", "check/default-deny", "check/stale", "check/hidden-headers", "check/signed-keys"],
    [
      ["record === undefined || credential.wrongUser", "record === undefined"],
      ["if (isTooStale(rule, staleMs)) throw", "if (false) throw"],
      ["rule.also?.some((other) => isTooStale(other, staleMs))", "undefined"],
      ["if (!request.headersFiltered) return seen;", "return seen;"],
      ["rule.forwardCredential && record.signed ?", "rule.forwardCredential ?"],
      ["request.headersFiltered ? every : request.identitySpellings", "request.identitySpellings"],
      ['cause instanceof StoreUnavailableError ? "store_unavailable" : "internal_error"', '"store_unavailable"'],
    ],
  ),
  of(
    "check/decode",
    ["check/decode"],
    [
      ["if (isOwnExtension(name)) request.extensions", "if (name === 'keyward.access') request.extensions"],
      ["      found = undefined;\n", ""],
    ],
  ),
  of(
    "check/decode-http",
    ["check/decode", "check/decode-malformed"],
    [
      ["if (!isMap) noteHeader(bytes, mapEntry, readers, request);", ""],
      ["if (!isMap) noteHeader(bytes, mapEntry, readers, request);", "noteHeader(bytes, mapEntry, readers, request);"],
      ["  request.headers = [];\n", ""],
      ["  path.clearRepetition();\n", ""],
      ["  path.clear();\n", ""],
      ["isMap && path", "path"],
      ["readers.path.repeat(start, end);", ";"],
      ["else readers.host.repeat(start, end);", ""],
      ["return agreed !== undefined;", "return true;"],
    ],
  ),
  of(
    "check/wire",
    ["check/decode-malformed", "check/decode"],
    [
      ["if ((known & this.#seen) !== 0) throw MALFORMED;", ""],
      ["if (known !== 0) throw MALFORMED;", ""],
      ["if (field === 0) throw MALFORMED;", ""],
      ["      if (this.#at > this.#limit) throw MALFORMED;\n      if", "      if"],
      ["if (shift === 28 && byte > 0x0f) throw MALFORMED;", ""],
    ],
  ),
  of(
    "check/told-twice",
    ["check/decode", "check/decode-malformed"],
    [
      ["if (this.isRepeated) throw MALFORMED;", ""],
      ["this.isRepeated && !this.#isSame(bytes) ?", "false ?"],
      ["if (this.#againEnd - this.#againStart !== length) return false;", ""],
    ],
  ),
  of(
    "check/name-and-value",
    ["check/decode", "check/decode-malformed"],
    [
      ["if (this.start !== this.end) throw MALFORMED;", ""],
      ["|| nameEnd + 2 + length !== end) return false;", ") return false;"],
      ["tag !== VALUE_TAG && !(tag === RAW_VALUE_TAG && this.#mayBeRaw)", "tag !== VALUE_TAG && tag !== RAW_VALUE_TAG"],
      ["this.nameStart = this.nameEnd = this.start = this.end = 0;", ""],
    ],
  ),
  of(
    "check/watched",
    ["check/decode"],
    [
      ["if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;", ""],
      ["code === 0x5f || code === 0x2e ? 0x2d : code", "code === 0x5f ? 0x2d : code"],
    ],
  ),
  of(
    "check/host",
    ["check/host"],
    [
      ["if (!bracketed && colon !== -1) return undefined;", ""],
      [".toLowerCase();", ";"],
      ['host.endsWith(".") ? host.slice(0, -1) : host', "host"],
      [
        "code === 0x2d || code === 0x2e || code === 0x5f",
        "code === 0x2d || code === 0x2e || code === 0x5f || code === 0x40",
      ],
    ],
  ),
  of(
    "check/method",
    ["check/method"],
    [
      ['|| method === "CONNECT"', ""],
      ["(code >= 0x41 && code <= 0x5a) ||", "(code >= 0x41 && code <= 0x7a) ||"],
    ],
  ),
  of(
    "check/place",
    ["check/order", "check/check"],
    [
      ['if (host === "" && policy.needsHost(request.method, path)) return deny("ambiguous_host");', ""],
      ['rule.access === "deny" ? deny("route_denied", rule) : { path, rule }', "{ path, rule }"],
      ["extensions.length > 0 ?", "extensions.length > 1 ?"],
    ],
  ),
  of(
    "check/client-address",
    ["check/client-address"],
    [
      ["hops.at(-1 - trustedHops)", "hops.at(-trustedHops)"],
      ["hops.at(-1 - trustedHops)", "hops[Math.max(hops.length - 1 - trustedHops, 0)]"],
    ],
  ),
  of(
    "check/encode",
    ["check/encode-allow", "check/encode-denial", "check/stripping"],
    [
      ['if (!isAllowed(decision)) throw new TypeError("only decide may allow");', ""],
      ["for (const header of headers) writer.text(OK.headersToRemove, header);", ""],
      ['if (cookies === "") writer.text', "if (false) writer.text"],
      ["for (const parameter of parameters) writer.text(OK.queryParametersToRemove, parameter);", ""],
      ["status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED", "0"],
      ['decision.reason === "store_unavailable" && onStoreError === "error"', 'onStoreError === "error"'],
    ],
  ),
  of(
    "check/identity",
    ["check/encode-allow"],
    [
      ["scopes.length > 0 ? scopes.join", "true ? scopes.join"],
      ["if (record === undefined) return undefined;", 'if (record === undefined) return "public";'],
    ],
  ),
  of(
    "check/identity-writer",
    ["check/encode-allow", "check/stripping"],
    [
      ["set |= 1 << index;", ""],
      ["writer.piece(removals[set] as Uint8Array);", ""],
      ['[name.replaceAll("-", "_")] : [name, name.replaceAll("-", "_")]', "[] : [name]"],
      ["if (!known.has(spelling)) writer.text", "if (false) writer.text"],
    ],
  ),
  of("check/header-options", ["check/encode-allow"], [["  writer.number(3, OVERWRITE);\n", ""]]),
  of(
    "check/rate-limit",
    ["check/rate-limit"],
    [
      ["used <= whole - part", "used <= whole"],
      [
        "Atomics.compareExchange(cells, cell, seen, now + BigInt(usedNow)) !== seen",
        "Atomics.store(cells, cell, now + BigInt(usedNow)) < 0n",
      ],
    ],
  ),
  of(
    "check/http/request",
    ["check/http/request", "check/http/default-deny"],
    [
      ["values.length === 1 ? values[0] : undefined", "values[0]"],
      ["|| isFolded(uri)) return undefined;", ") return undefined;"],
      ['values.length === 0 ? "" : onlyOne(values)', 'values[0] ?? ""'],
      ["bytesKnown: original !== undefined,", "bytesKnown: true,"],
    ],
  ),
  of(
    "check/http/answer",
    ["check/http/answer"],
    [
      ['if (!isAllowed(decision)) throw new TypeError("only decide may allow");', ""],
      ['value ?? ""', 'value ?? "none"'],
      ["status >= 500 && !asError ? 403", "status > 503 && !asError ? 403"],
      ["return status === 401 ? 401 : 403;", "return status;"],
      ["spellings.filter((spelling) => identity.get(spelling) === undefined)", "[]"],
    ],
  ),
  of(
    "check/http/dialects",
    ["check/http/dialects"],
    [
      ['prefix ? url[path.length] === "/" :', "prefix ? true :"],
      ['url.length === path.length || url[path.length] === "?"', "true"],
    ],
  ),
  of(
    "policy/match",
    ["policy/policy", "paths/paths"],
    [
      ["!methods.includes(method)) continue;", "false) continue;"],
      ["route.host !== host) continue;", "false) continue;"],
      ["      break;\n", ""],
      ['if (rule.access === "public") continue;', ""],
      ["loose ??= looseForm(path);", "loose ??= path;"],
      ["also.length === 0 ?", "true ?"],
      ["if (closed !== undefined) return closed.rule;", ""],
      ["&& also.every((rule) => rule.forwardCredential)", ""],
    ],
  ),
  of(
    "policy/pattern",
    ["policy/pattern"],
    [
      ["(openEnd && path.charCodeAt(literal.length) === SLASH)", "openEnd"],
      ["segment === undefined ? length === 0 :", "segment === undefined ? false :"],
      ["length !== segment.length || !path.startsWith(segment, at + 1)", "!path.startsWith(segment, at + 1)"],
      ["at === path.length || (openEnd &&", "at === path.length || (true &&"],
    ],
  ),
  of(
    "policy/policy",
    ["policy/policy", "policy/problems"],
    [
      ['(config.routes.length > 0 ? "deny" : "authenticated")', '"authenticated"'],
      ["if (twin !== -1) {", "if (false) {"],
      ["if (!isScope(scope) || isWildcard(scope)) fail", "if (!isScope(scope)) fail"],
    ],
  ),
  of(
    "policy/binding",
    ["policy/binding", "check/bindings"],
    [
      ["if (value === undefined) return false;", "if (value === undefined) return true;"],
      ["return value === literal;", "return value.startsWith(literal);"],
      ["if (length <= 0 || !value.startsWith(literal)) return false;", "if (length <= 0) return false;"],
      ["return start + length === path.length ||", "return true ||"],
    ],
  ),
  of(
    "policy/extensions",
    ["policy/extensions"],
    [
      ['name.toLowerCase().startsWith("keyward.")', 'name.startsWith("keyward.")'],
      ['name === "keyward.scopes" && scopes === undefined', 'name === "keyward.scopes"'],
      ["if (scopes === undefined && match !== undefined) return undefined;", ""],
      ['if (asks && access !== undefined && access !== "authenticated") return undefined;', ""],
      ["    } else {\n      return undefined;\n    }", "    }"],
    ],
  ),
  of(
    "policy/scope-graph",
    ["policy/scope-graph", "policy/effective-scopes"],
    [
      ["if (inheritsScopes) return most ?? NONE;", "if (inheritsScopes) return most ?? scopes;"],
      ["if (most === undefined) return scopes;", "return scopes;"],
      ["if (cycle !== undefined) problems.push", "if (false) problems.push"],
    ],
  ),
  of(
    "key/scope",
    ["key/scope"],
    [
      ["return required.length > stem && required", "return required"],
      ["if (!isWildcard(granted)) return false;", ""],
      ["code === 0x2a && !isWholeLastSegment(text, index)", "false"],
    ],
  ),
  of(
    "key/state",
    ["key/state"],
    [
      ["nowMs >= timeMs", "nowMs > timeMs"],
      ["|| hasCome(graceEndsAtMs, nowMs)", ""],
    ],
  ),
  of(
    "key/secret",
    ["key/secret"],
    [
      ["return written === crc32(text, checksum);", "return true;"],
      ["if (!isBase62(text.charCodeAt(index))) return false;", ";"],
      ["if (text.charCodeAt(underscore) !== UNDERSCORE) return false;", ""],
      ["if (!isPrefixCharacter(text.charCodeAt(index))) return false;", ";"],
      ["length > MAX_SECRET_LENGTH ||", ""],
      ["text === ADMIN_PREFIX ||", ""],
    ],
  ),
  of("store/shared", ["store/shared"], [["if (made.size >= MOST) made.clear();", ""]]),
  of(
    "store/cache",
    ["store/cache"],
    [
      ["if (revision === appliedRevision) {", "{"],
      ["      known.delete(digest);\n", ""],
      ["      unknown.delete(digest);\n", ""],
      ["      known.clear();\n", ""],
      ["      unknown.clear();\n", ""],
      ["unknown.set(digest, true)", "undefined"],
    ],
  ),
  of(
    "store/follow",
    ["store/follow"],
    [
      ['if (digests === "all") cache.clear(position.revision);', 'if (digests === "all") return position.revision;'],
      ["    applied = position;\n", ""],
      ["      follow();\n", ""],
      ["if (version === seenVersion) return applied.revision;", "return applied.revision;"],
    ],
  ),
  of(
    "store/feed",
    ["store/feed", "store/follow"],
    [
      ["known.revision === 0 ? oldest.revision === 1 : isAt(oldest, known)", "true"],
      ["&& !digests.includes(EVERYTHING_HEX)", ""],
      ["one.revision === other.revision && one.mark === other.mark", "one.revision === other.revision"],
      ["row.revision > known.revision", "row.revision > known.revision + 1"],
    ],
  ),
  of(
    "store/networks",
    ["store/networks"],
    [
      ["prefix === undefined ? MAX_PREFIX[family] : Number(prefix)", "Number(prefix ?? 0)"],
      ["if (cidrs.length === 0) return undefined;", ""],
    ],
  ),
];

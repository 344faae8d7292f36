import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { adminCall } from "../support/admin-call.ts";
import { type CheckClient, createCheckClient } from "../support/check-client.ts";
import { describeRequest } from "../support/check-request.ts";
import { folderForThisTest } from "../support/for-this-test.ts";
import { type Keyward, startKeyward } from "../support/keyward.ts";
import { secretOf } from "../support/sample-keys.ts";
import { TRANSPORT, TRANSPORTS } from "../support/transports.ts";
import { NETWORKS, Reference, type ReferenceKey, type ReferenceOwner, type ReferenceRequest } from "./reference.ts";

/** Which of the two speaks HTTP/2 matters to few of them: on the second, a part says as much of it. */
const OPERATIONS = TRANSPORT === TRANSPORTS[0] ? 100_000 : 10_000;

/** Each answer is given at least so often, or it says nothing. */
const LEAST = OPERATIONS / 1_000;

/** Fewer than there are keys at any time, so that most of them are read from the database again and again. */
const CACHED_KEYS = 5;

const DAY_MS = 86_400_000;

const tenant = fc.constantFrom(undefined, "acme", "globex");
const owner = fc.constantFrom(undefined, "user/a", "service/b");
const ownerName = fc.constantFrom("user/a", "service/b");
const scopes = fc.subarray(["orders:read", "orders:write", "orders:*", "billing", "*"], { maxLength: 3 });
const asked = fc.subarray(["orders:read", "orders:write", "orders:x:y", "orders", "billing"], { maxLength: 2 });
const paths = fc.subarray(["/v1", "=/v1/orders", "/v2/orders", "=/v2"], { maxLength: 2 });
const methods = fc.subarray(["GET", "POST"], { maxLength: 1 });
const cidrs = fc.subarray(Object.keys(NETWORKS), { maxLength: 1 });
/** Days from now: nothing is so near that it comes while the test runs. */
const days = fc.constantFrom(-2, -1, 1, 2, undefined);

/** One of the latest keys mostly: the older one is, the likelier it is revoked. */
const which = fc.oneof({ weight: 9, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.nat(10_000) });

const check = fc.record({
  kind: fc.constant("check" as const),
  which: fc.option(which, { freq: 20, nil: undefined }),
  method: fc.constantFrom("GET", "POST", "DELETE"),
  path: fc.constantFrom("/v1", "/v1/orders", "/v1/orders/7", "/v1x", "/v2", "/v2/orders"),
  address: fc.constantFrom("10.1.2.3", "192.0.2.7", "192.0.2.8", "2001:db8::1", "198.51.100.1"),
  scopes: asked,
  match: fc.constantFrom("any" as const, "all" as const),
  tenant: fc.option(fc.constantFrom("acme", "globex"), { freq: 3 }).map((name) => name ?? undefined),
});
const fields = { scopes, inherits: fc.boolean(), paths, methods, cidrs, notBefore: days, expires: days };
const create = fc.record({ kind: fc.constant("create" as const), tenant, owner, ...fields });
const update = fc.record({
  kind: fc.constant("update" as const),
  which,
  field: fc.constantFrom("scopes", "inherits", "paths", "methods", "cidrs", "notBefore", "expires"),
  ...fields,
});
const rotate = fc.record({ kind: fc.constant("rotate" as const), which, graceDays: fc.constantFrom(0, 1) });
const end = fc.record({
  kind: fc.constant("end" as const),
  how: fc.constantFrom("Revoke", "Disable", "Enable"),
  which,
});
const putOwner = fc.record({
  kind: fc.constant("put owner" as const),
  tenant,
  name: ownerName,
  scopes: fc.option(scopes, { nil: undefined }),
  disabled: fc.boolean(),
});
const deleteOwner = fc.record({ kind: fc.constant("delete owner" as const), tenant, name: ownerName });
const restart = fc.record({
  kind: fc.constant("restart" as const),
  how: fc.constantFrom("stop" as const, "kill" as const),
});

type Operation = (typeof operation extends fc.Arbitrary<infer Value> ? Value : never) & object;
const operation = fc.oneof(
  { weight: 86_000, arbitrary: check },
  { weight: 4_000, arbitrary: create },
  { weight: 4_000, arbitrary: update },
  { weight: 1_500, arbitrary: rotate },
  { weight: 3_000, arbitrary: end },
  { weight: 1_300, arbitrary: putOwner },
  { weight: 150, arbitrary: deleteOwner },
  { weight: 30, arbitrary: restart },
);
type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

/** A running Keyward beside the reference, to both of which the same is done. */
class Pair {
  readonly reference = new Reference();
  readonly #folder: string;
  readonly #nowMs = Date.now();
  #keyward: Keyward | undefined;
  #client: CheckClient | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const flags = ["--cache-max-keys", String(CACHED_KEYS), "--cache-max-unknown", "2", "--check-threads", "2"];
    this.#keyward = await startKeyward({ folder: this.#folder, flags });
    this.#client = createCheckClient(this.#keyward.authz);
  }

  async stop(how: "stop" | "kill"): Promise<void> {
    this.#client?.close();
    await this.#keyward?.[how]();
  }

  /** What each of the two says. */
  async check(operation: Of<"check">): Promise<{ said: string; expected: string }> {
    const { method, path, address, scopes, match, tenant } = operation;
    const secret = this.#keyAt(operation.which)?.secret ?? UNKNOWN;
    const request: ReferenceRequest = { secret, method, path, address, scopes, match, tenant };
    const extensions = {
      "keyward.access": "authenticated",
      ...(scopes.length === 0 ? {} : { "keyward.scopes": scopes.join(" "), "keyward.match": match }),
      ...(tenant === undefined ? {} : { "keyward.tenant": tenant }),
    };
    const headers = [["authorization", `Bearer ${secret}`]] as const;
    const bytes = describeRequest({ method, path, headers, extensions, sourceAddress: address });
    const verdict = await this.#client?.checkBytes(bytes);
    return { said: String(verdict?.reason), expected: this.reference.judge(request, Date.now()) };
  }

  async change(operation: Exclude<Operation, Of<"check">>): Promise<void> {
    if (operation.kind === "create") return this.#create(operation);
    if (operation.kind === "put owner") return this.#putOwner(operation);
    if (operation.kind === "delete owner") return this.#deleteOwner(operation);
    if (operation.kind === "restart") {
      await this.stop(operation.how);
      return this.start();
    }
    const key = this.#keyAt(operation.which);
    if (key === undefined || key.revoked) return;
    if (operation.kind === "update") return this.#update(key, operation);
    if (operation.kind === "rotate") return this.#rotate(key, operation);
    await this.#call(`KeyService/${operation.how}Key`, { key: key.id });
    if (operation.how === "Revoke") key.revoked = true;
    else key.disabled = operation.how === "Disable";
  }

  async #create({ tenant, owner, inherits, scopes, paths, methods, cidrs, ...life }: Of<"create">): Promise<void> {
    const isHeir = inherits && this.reference.ownerOf({ tenant, owner })?.scopes !== undefined;
    const notBeforeMs = this.#at(life.notBefore);
    // A key that ends before it begins, or in the past, is not made.
    const expiresAtMs = this.#at(life.expires && Math.max(life.expires, (life.notBefore ?? 0) + 1, 1));
    const limits = { scopes: isHeir ? [] : scopes, paths, methods, cidrs };
    const body = { name: "k", tenant, owner, inheritScopes: isHeir, ...limits };
    const times = { notBefore: written(notBeforeMs), expiresAt: written(expiresAtMs) };
    const made = await this.#call("KeyService/CreateKey", { ...body, ...times });
    const ended = { graceEndsAtMs: undefined, disabled: false, revoked: false };
    const identity = { id: made.key.id, secret: made.secret ?? "", tenant, owner };
    this.reference.keys.push({ ...identity, ...limits, inherits: isHeir, notBeforeMs, expiresAtMs, ...ended });
  }

  async #update(key: ReferenceKey, operation: Of<"update">): Promise<void> {
    const { field } = operation;
    if (field === "inherits" && this.reference.ownerOf(key)?.scopes === undefined) return;
    const update = (updateMask: string, body: object) =>
      this.#call("KeyService/UpdateKey", { key: key.id, updateMask, ...body });
    if (field === "inherits") {
      await update("inheritScopes", { inheritScopes: true });
      Object.assign(key, { inherits: true, scopes: [] });
    } else if (field === "notBefore" || field === "expires") {
      const [begins, ends] =
        field === "notBefore"
          ? [this.#at(operation.notBefore), key.expiresAtMs]
          : [key.notBeforeMs, this.#at(operation.expires)];
      if (begins !== undefined && ends !== undefined && begins >= ends) return;
      await update("notBefore,expiresAt", { notBefore: written(begins), expiresAt: written(ends) });
      Object.assign(key, { notBeforeMs: begins, expiresAtMs: ends });
    } else {
      await update(field, { [field]: operation[field] });
      Object.assign(key, { [field]: operation[field], inherits: field === "scopes" ? false : key.inherits });
    }
  }

  async #rotate(key: ReferenceKey, { graceDays }: Of<"rotate">): Promise<void> {
    const isOver = key.expiresAtMs !== undefined && key.expiresAtMs <= this.#nowMs;
    if (key.disabled || isOver || key.graceEndsAtMs !== undefined) return;
    const {
      key: record,
      secret = "",
      rotated,
    } = await this.#call("KeyService/RotateKey", {
      key: key.id,
      grace: `${(graceDays * DAY_MS) / 1000}s`,
    });
    const graceEndsAtMs = Date.parse(rotated?.graceEndsAt ?? "");
    this.reference.rotate(key, { id: record.id, secret }, graceEndsAtMs, Date.now());
  }

  async #putOwner({ tenant, name, scopes, disabled }: Of<"put owner">): Promise<void> {
    const known = this.reference.ownerOf({ tenant, owner: name });
    const limits = { scopes: scopes ?? [], limitScopes: scopes !== undefined };
    const owner: ReferenceOwner = known ?? { tenant, name, scopes, disabled: false };
    if (known === undefined) {
      await this.#call("OwnerService/CreateOwner", { owner: name, tenant, ...limits });
      this.reference.owners.push(owner);
    } else {
      const updateMask = "scopes,limitScopes,disabled";
      await this.#call("OwnerService/UpdateOwner", { owner: name, tenant, updateMask, ...limits, disabled });
      Object.assign(owner, { scopes, disabled });
    }
  }

  async #deleteOwner({ tenant, name }: Of<"delete owner">): Promise<void> {
    const owner = this.reference.ownerOf({ tenant, owner: name });
    if (owner === undefined) return;
    await this.#call("OwnerService/DeleteOwner", { owner: name, tenant });
    this.reference.deleteOwner(owner);
  }

  #call(method: string, body: object): Promise<Change> {
    return adminCall<Change>(this.#keyward?.adminSocket ?? "", method, body);
  }

  #keyAt(which: number | undefined): ReferenceKey | undefined {
    const { keys } = this.reference;
    return which === undefined ? undefined : keys.at(-1 - (which % Math.max(1, keys.length)));
  }

  #at(fromNowDays: number | undefined): number | undefined {
    return fromNowDays === undefined ? undefined : this.#nowMs + fromNowDays * DAY_MS;
  }
}

/** What a change is answered with, as far as it is looked at. */
interface Change {
  readonly key: { readonly id: string };
  readonly secret?: string;
  readonly rotated?: { readonly graceEndsAt?: string };
}

/** Well formed, and of no key. */
const UNKNOWN = secretOf("never made");

function written(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}

test(`the running program answers as the reference does, over ${OPERATIONS} random operations`, async () => {
  const seed = Date.now();
  const operations = fc.sample(operation, { numRuns: OPERATIONS, seed });
  const pair = new Pair(folderForThisTest());
  onTestFinished(() => pair.stop("stop"));
  await pair.start();
  const counts: Record<string, number> = {};
  let waiting: { at: number; operation: Of<"check"> }[] = [];
  /** Nothing changes between two changes, so that the checks of that time need no order. */
  const settle = async () => {
    const answers = await Promise.all(
      waiting.map(async (each) => ({ ...each, ...(await pair.check(each.operation)) })),
    );
    for (const { expected } of answers) counts[expected] = (counts[expected] ?? 0) + 1;
    const wrong = answers.filter(({ said, expected }) => said !== expected);
    expect(wrong, `with the seed ${seed}`).toEqual([]);
    waiting = [];
  };
  for (const [at, each] of operations.entries()) {
    if (each.kind === "check") {
      waiting.push({ at, operation: each });
    } else {
      await settle();
      await pair.change(each);
    }
  }
  await settle();
  // Every answer that the two could give was given, and none so rarely that it says nothing.
  expect(Object.entries(counts).filter(([, count]) => count < LEAST)).toEqual([]);
  expect(Object.keys(counts).toSorted()).toEqual(EVERY_ANSWER);
}, 900_000);

const EVERY_ANSWER = [
  "address_not_allowed",
  "allowed",
  "insufficient_scope",
  "key_disabled",
  "key_expired",
  "key_not_yet_valid",
  "key_revoked",
  "method_not_allowed",
  "owner_disabled",
  "path_not_allowed",
  "tenant_mismatch",
  "unknown_key",
];

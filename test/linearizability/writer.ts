import { createHash } from "node:crypto";
import { adminCall } from "../support/admin-call.ts";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";
import type { Change } from "./change.ts";
import type { Focus } from "./focus.ts";
import { type KeyHistory, type State, unknownSince } from "./history.ts";
import type { Enforced } from "./revisions.ts";

/** A key of the writer, as it is if every change has happened. The API takes its secret as its name. */
interface Held {
  readonly secret: string;
  readonly history: KeyHistory;
  version: number;
  disabled: boolean;
  revoked: boolean;
}

/** What the answers to changes hold, as far as it is looked at. */
interface Answer {
  readonly key?: { readonly revision: string };
  readonly owner?: { readonly revision: string };
  readonly secret?: string;
  readonly enforced?: boolean;
}

/**
 * Changes keys of its own over the admin API, one change after another, and writes each down before it is sent. All its keys
 * belong to one owner. Where a change gets no answer nobody knows whether it has happened: the keys are left as they are.
 */
export class Writer {
  readonly histories: KeyHistory[] = [];
  /** The changes that were answered as enforced. */
  readonly enforced: Enforced[] = [];
  /** How many changes were answered, and how many were not. */
  answered = 0;
  unanswered = 0;
  readonly #name: string;
  readonly #socket: string;
  readonly #focus: Focus;
  #keys: Held[] = [];
  #owner: { readonly name: string; disabled: boolean } | undefined;
  #made = 0;

  constructor(name: string, socket: string, focus: Focus) {
    this.#name = name;
    this.#socket = socket;
    this.#focus = focus;
  }

  /** Makes changes until they are all made, or time is over. Rejects where one is refused: all must be taken. */
  async run(changes: readonly Change[], isOver: () => boolean): Promise<void> {
    for (const { kind, which } of changes) {
      if (isOver()) return;
      try {
        this.#owner ??= await this.#createOwner();
        await this.#make(kind, this.#owner, this.#keys[which % this.#keys.length]);
      } catch (error) {
        if (error instanceof Error && error.message.includes("was answered with")) throw error;
        this.unanswered++;
        this.#keys = [];
        this.#owner = undefined;
        await until("a writer thread answers again", async () => {
          await adminCall(this.#socket, "SystemService/GetStatus", {});
          return true;
        });
      }
    }
  }

  async #createOwner() {
    const name = `service/${this.#name}-${this.#made++}`;
    await adminCall(this.#socket, "OwnerService/CreateOwner", { owner: name });
    return { name, disabled: false };
  }

  async #make(kind: Change["kind"], owner: { readonly name: string; disabled: boolean }, key: Held | undefined) {
    if (kind === "import" || key === undefined) return this.#import(owner.name);
    if (kind === "create") return this.#create(owner.name);
    if (kind === "rotate" && !key.disabled) return this.#rotate(key);
    if (kind === "owner") {
      owner.disabled = !owner.disabled;
      const body = { owner: owner.name, updateMask: "disabled", disabled: owner.disabled };
      await this.#change(this.#keys, "OwnerService/UpdateOwner", body);
    } else if (kind === "update") {
      key.version++;
      const body = { updateMask: "scopes", scopes: [`v:${key.version}`] };
      await this.#change([key], "KeyService/UpdateKey", { key: key.secret, ...body });
    } else if (kind === "disable" || kind === "enable") {
      key.disabled = kind === "disable";
      await this.#change([key], `KeyService/${key.disabled ? "Disable" : "Enable"}Key`, { key: key.secret });
    } else {
      this.#end(key);
      await this.#change([key], "KeyService/RevokeKey", { key: key.secret });
    }
  }

  /** The secret is known before the key is: it is presented all the while. */
  async #import(owner: string): Promise<void> {
    const name = this.#nextName("imported");
    const key = this.#hold(name, secretOf(name));
    this.#show(key);
    const sha256 = createHash("sha256").update(key.secret).digest("base64");
    const imported = { line: 1, sha256, name, owner, scopes: ["v:0"] };
    await this.#change([key], "KeyService/ImportKeys", { source: "test", keys: [imported], commit: true });
    this.#keys.push(key);
  }

  async #create(owner: string): Promise<void> {
    const name = this.#nextName("created");
    const draft = this.#hold(name);
    const { secret = "" } = await this.#change([draft], "KeyService/CreateKey", { name, owner, scopes: ["v:0"] });
    this.#keys.push({ ...draft, secret });
    this.#show({ ...draft, secret });
  }

  async #rotate(old: Held): Promise<void> {
    const draft = { ...this.#hold(this.#nextName("successor")), version: old.version };
    this.#end(old);
    const body = { key: old.secret, grace: "0s" };
    const { secret = "" } = await this.#change([old, draft], "KeyService/RotateKey", body);
    this.#keys.push({ ...draft, secret });
    this.#show({ ...draft, secret });
  }

  #nextName(kind: string): string {
    return `${this.#name}-${this.#made++} ${kind}`;
  }

  #hold(name: string, secret = ""): Held {
    const history = { name, states: [unknownSince()], readings: [] };
    this.histories.push(history);
    return { secret, history, version: 0, disabled: false, revoked: false };
  }

  #end(key: Held): void {
    key.revoked = true;
    this.#keys = this.#keys.filter((other) => other !== key);
  }

  #show(key: Held): void {
    this.#focus.watch(key);
    this.#focus.strike(key);
  }

  /** Makes a change that leaves the keys as they are described by now. */
  async #change(keys: readonly Held[], method: string, body: object): Promise<Answer> {
    const begunMs = performance.now();
    const states = keys.map((key) => {
      const acknowledgedMs = Number.POSITIVE_INFINITY;
      const state: State = { answer: this.#answerOf(key), begunMs, acknowledgedMs, enforced: false };
      key.history.states.push(state);
      return state;
    });
    const answer = await adminCall<Answer>(this.#socket, method, body);
    const acknowledgedMs = performance.now();
    for (const state of states) Object.assign(state, { acknowledgedMs, enforced: answer.enforced === true });
    for (const key of keys) if (key.secret !== "") this.#focus.strike(key);
    this.answered++;
    const revision = Number(answer.key?.revision ?? answer.owner?.revision ?? 0);
    if (answer.enforced === true) this.enforced.push({ revision, acknowledgedMs });
    return answer;
  }

  /** What a check of the key is answered. */
  #answerOf({ revoked, disabled, version }: Held): string {
    if (revoked) return "key_revoked";
    if (disabled) return "key_disabled";
    return this.#owner?.disabled ? "owner_disabled" : `allowed v:${version}`;
  }
}

import { create } from "@bufbuild/protobuf";
import { type ImportKeysResponse, ImportKeysResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { tell } from "../output.ts";
import { createProgress } from "../progress.ts";
import type { Refused } from "./source.ts";

/** So many refused lines are told; whoever mends those finds the rest the next time. */
const MAX_TOLD = 100;

/** So many are kept for `-o json`. */
const MAX_KEPT = 1_000;

/** Gathers what comes of an import, and shows how far it is. */
export class ImportReport {
  readonly #refused: Refused[] = [];
  #refusedHere = 0;
  #refusedThere = 0;
  #read = 0;
  #left = 0;
  #short = 0;
  readonly #progress = createProgress("keys read");

  /** A record that was read, whatever became of it. */
  countRead(): void {
    this.#read++;
    if (this.#read % 1_000 === 0) this.#progress.show(this.#read);
  }

  /** A key whose time was over already. */
  countEnded(): void {
    this.#left++;
  }

  /** A key that can be guessed. */
  countShort(): void {
    this.#short++;
  }

  /** A record that was refused before anything was sent. */
  refuse(refused: Refused): void {
    this.#refusedHere++;
    this.#keep(refused);
  }

  /** What the API says of the keys that it got. */
  hear({ refused, refusedCount }: ImportKeysResponse): void {
    this.#refusedThere = refusedCount;
    for (const one of refused) this.#keep(one);
  }

  get refusedCount(): number {
    return this.#refusedHere + this.#refusedThere;
  }

  /** Ends the line of progress. */
  endProgress(): void {
    this.#progress.end();
  }

  /** Tells what was refused, by line. */
  tellRefused(): void {
    const inOrder = this.#inOrder();
    for (const { line, problem } of inOrder.slice(0, MAX_TOLD)) tell(`line ${line}: ${problem}`);
    const more = this.refusedCount - Math.min(inOrder.length, MAX_TOLD);
    if (more > 0) tell(`and ${more} more`);
  }

  /** Tells what is worth knowing of what was not refused. */
  tellNotes(): void {
    if (this.#left > 0) tell(`${this.#left} had ended already and were left out.`);
    if (this.#short > 0)
      tell(`warning: ${this.#short} have fewer than 16 characters and can be guessed; rotate them soon`);
  }

  /** The last answer, with everything that was refused. */
  answer(last: ImportKeysResponse | undefined): ImportKeysResponse {
    const refused = this.#inOrder().map(({ line, problem }) => ({ line, problem }));
    const rest = last === undefined ? {} : { importedCount: last.importedCount, warning: last.warning };
    const enforced = last?.enforced === undefined ? {} : { enforced: last.enforced };
    return create(ImportKeysResponseSchema, { ...rest, ...enforced, refused, refusedCount: this.refusedCount });
  }

  #keep({ line, problem }: Refused): void {
    if (this.#refused.length < MAX_KEPT) this.#refused.push({ line, problem });
  }

  #inOrder(): Refused[] {
    return this.#refused.toSorted((one, other) => one.line - other.line);
  }
}

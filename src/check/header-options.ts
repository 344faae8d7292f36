import { type BackwardWriter, piece } from "./writer.ts";

/** HeaderValueOption.HeaderAppendAction OVERWRITE_IF_EXISTS_OR_ADD; its 0 is APPEND_IF_EXISTS_OR_ADD. */
const OVERWRITE = 2;

/**
 * What follows the header in a HeaderValueOption that replaces what is there. Both ways of saying so, since versions of
 * Envoy differ in which they read: `append: false` (2) and `append_action` (3).
 */
const REPLACES = piece((writer) => {
  writer.number(3, OVERWRITE);
  writer.message(2, writer.mark());
});

/** What is there stays: `append: true`, and the `append_action` that is 0. */
const APPENDS = piece((writer) => {
  const append = writer.mark();
  writer.number(1, 1);
  writer.message(2, append);
});

/** A HeaderValueOption, as one of a list of them, that replaces what is there. */
export function writeHeader(writer: BackwardWriter, field: number, name: string, value: string): void {
  const option = writer.mark();
  writer.piece(REPLACES);
  writeNameAndValue(writer, name, value);
  writer.message(field, option);
}

/** As above, but what is there stays. */
export function writeAddedHeader(writer: BackwardWriter, field: number, name: string, value: string): void {
  const option = writer.mark();
  writer.piece(APPENDS);
  writeNameAndValue(writer, name, value);
  writer.message(field, option);
}

/** Makes what does the same as `writeHeader` for a name that is written often. */
export function createHeaderWriter(field: number, name: string): (writer: BackwardWriter, value: string) => void {
  const key = piece((writer) => writer.text(1, name));
  return (writer, value) => {
    const option = writer.mark();
    writer.piece(REPLACES);
    const header = writer.mark();
    writer.text(2, value);
    writer.piece(key);
    writer.message(1, header);
    writer.message(field, option);
  };
}

/** HeaderValueOption.header (1), with HeaderValue.key 1 and value 2. */
function writeNameAndValue(writer: BackwardWriter, name: string, value: string): void {
  const header = writer.mark();
  writer.text(2, value);
  writer.text(1, name);
  writer.message(1, header);
}

/** The row that a change has just written, as it will be read from now on rather than as it was asked for. */
export function written<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error("a row just written cannot be read");
  return row;
}

/** The labels of one series. */
export type Labels = Readonly<Record<string, string>>;

/** One family of metrics, as it is declared: what it counts, and every series that it can ever have. */
export interface Metric {
  readonly kind: "counter" | "gauge" | "histogram";
  /** One sentence for the operator who reads it at night. */
  readonly help: string;
  /** Every set of labels that it can have: a list that is closed, so that no client makes a series. Left out: one, without labels. */
  readonly series?: readonly Labels[];
  /** Of a histogram: the upper bounds of its buckets in seconds, the least first. */
  readonly bounds?: readonly number[];
  /** Told of each thread apart, with the label `thread`, and not added up. */
  readonly perThread?: true;
  /** A label whose value is a number of a slot, named when it is printed. */
  readonly slots?: string;
  /** Series that were never counted are not printed. */
  readonly sparse?: true;
}

/** Metrics by name. */
export type MetricTable = Readonly<Record<string, Metric>>;

/** One series for each value of one label. */
export function seriesOf(label: string, values: readonly string[]): readonly Labels[] {
  return values.map((value) => ({ [label]: value }));
}

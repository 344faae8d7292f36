/** The samples of `/metrics`, by name and labels as they are written: `keyward_checks_total{reason="x"}`. */
export type Samples = ReadonlyMap<string, number>;

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\\\\n]*"';
const SAMPLE = new RegExp(`^(?<series>(?<name>${NAME})(?:\\{${LABEL}(?:,${LABEL})*\\})?) (?<value>\\S+)$`);
const COMMENT = new RegExp(`^# (?<kind>HELP|TYPE) (?<name>${NAME}) (?<text>.+)$`);
const TYPES = ["counter", "gauge", "histogram"];
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ["_bucket", "_sum", "_count"] };

/**
 * Reads Prometheus's text format (version 0.0.4), and throws for whatever strays from it: a family without HELP and TYPE
 * in front, one in two places, a series that stands twice, a value that is no number, a missing end of line.
 */
export function readMetrics(text: string): Samples {
  const samples = new Map<string, number>();
  const seen = new Set<string>();
  let family = "";
  let allowed: readonly string[] = [];
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("the last line has no end");
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const fail = (why: string) => new Error(`metrics line ${index + 1}: ${why}: ${line}`);
    const comment = COMMENT.exec(line)?.groups;
    if (comment !== undefined) {
      const { kind, name = "", text: said = "" } = comment;
      if (kind === "HELP") {
        if (seen.has(name)) throw fail("the family was there before");
        seen.add(name);
        family = name;
        allowed = [];
      } else {
        if (name !== family || !TYPES.includes(said)) throw fail("TYPE does not fit the HELP in front");
        allowed = (SUFFIXES[said] ?? [""]).map((suffix) => family + suffix);
      }
      continue;
    }
    const { series = "", name = "", value = "" } = SAMPLE.exec(line)?.groups ?? {};
    if (!allowed.includes(name)) throw fail("a sample outside of its family");
    if (samples.has(series)) throw fail("a series that stands twice");
    const number = Number(value);
    if (!Number.isFinite(number) || number < 0) throw fail("a value that is no count");
    samples.set(series, number);
  }
  return samples;
}

/** The series of one family, by the value of one label. */
export function byLabel(samples: Samples, name: string, label: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [series, value] of samples) {
    const labelled = new RegExp(`[{,]${label}="([^"]*)"`).exec(series)?.[1];
    if (series.startsWith(`${name}{`) && labelled !== undefined) found.set(labelled, value);
  }
  return found;
}

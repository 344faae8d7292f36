/** What `doctor` has found out about one thing. */
export interface Finding {
  /** `fail` has to be mended; `warn` is worth a look. */
  readonly state: "ok" | "warn" | "fail";
  /** What was looked at: `database`, `listen.authz`, `envoy`. */
  readonly subject: string;
  readonly message: string;
  /** What to do about it; empty where all is well. */
  readonly advice: string;
}

/** Nothing has to be done. */
export function fine(subject: string, message: string): Finding {
  return { state: "ok", subject, message, advice: "" };
}

/** It works, and not as well or as safely as it could. */
export function warning(subject: string, message: string, advice: string): Finding {
  return { state: "warn", subject, message, advice };
}

/** It has to be mended. */
export function failure(subject: string, message: string, advice: string): Finding {
  return { state: "fail", subject, message, advice };
}

/** The findings as lines for people, and what is to be done in the last one. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.flatMap(({ state, subject, message, advice }) => [
    `${state.padEnd(4)}  ${subject.padEnd(width)}  ${message}`,
    ...(advice === "" ? [] : [`${" ".repeat(width + 8)}${advice}`]),
  ]);
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  return [...lines, "", `${count("fail")} to mend, ${count("warn")} to look at, ${count("ok")} fine`].join("\n");
}

/** The configuration cannot be used. The message is all problems, one a line. */
export class ConfigError extends Error {
  readonly code = "config_invalid";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

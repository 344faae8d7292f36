/** An instruction of a Dockerfile: `RUN`, and what follows it. */
export interface Instruction {
  name: string;
  text: string;
}

/** Returns the stages of a Dockerfile, each with the instructions after its `FROM`. Continued lines are joined. */
export function stagesOf(dockerfile: string): Instruction[][] {
  const lines = dockerfile
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [, name = "", text = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === "FROM") stages.push([]);
    else stages.at(-1)?.push({ name, text });
  }
  return stages;
}

/** Returns what the one instruction of a name says. Throws where there is none, or another. */
export function only(stage: readonly Instruction[], name: string): string {
  const [found, ...others] = stage.filter((instruction) => instruction.name === name);
  if (found === undefined || others.length > 0) throw new Error(`the Dockerfile does not say ${name} exactly once`);
  return found.text;
}

import type { Argument, Command, Option } from "commander";

/** What can stand as a value: one of some words, the path of a file, or anything. */
export type Values = readonly string[] | "file" | "any";

/** An option as it is written, such as `-o` and `--output`. */
interface OptionWords {
  readonly spellings: readonly string[];
  readonly description: string;
  /** Undefined: it takes none. */
  readonly value: Values | undefined;
  /** Whether it may stand without the value. */
  readonly optional: boolean;
}

/** What can be written after a command. */
export interface CommandWords {
  /** The words that lead to it, without the program's name: `["keys", "create"]`. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  /** What stands where no option does, in its order. */
  readonly operands: readonly Values[];
}

/** Every command of a program, the program first, each with what its help shows. */
export function wordsOf(command: Command, path: readonly string[] = []): CommandWords[] {
  const help = command.createHelp();
  // `help` is a command that says what `--help` says.
  const below = help.visibleCommands(command).filter((sub) => sub.name() !== "help");
  const own: CommandWords = {
    path,
    commands: below.map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: help.visibleOptions(command).map(optionWords),
    operands: command.registeredArguments.map(operandValues),
  };
  return [own, ...below.flatMap((sub) => wordsOf(sub, [...path, sub.name()]))];
}

function optionWords({ short, long, description, flags, argChoices, required, optional }: Option): OptionWords {
  const spellings = [short, long].flatMap((spelling) => spelling ?? []);
  const name = /[<[]([^>\]]+)/.exec(flags)?.[1];
  return { spellings, description, value: required || optional ? valuesOf(argChoices, name) : undefined, optional };
}

function operandValues(argument: Argument): Values {
  return valuesOf(argument.argChoices, argument.name());
}

/** What a value is called in the help tells whether it is a file, or one of a few words. */
function valuesOf(choices: readonly string[] | undefined, name = ""): Values {
  if (choices !== undefined) return choices;
  if (name.includes("|")) return name.split("|");
  return ["file", "path"].includes(name.toLowerCase()) ? "file" : "any";
}

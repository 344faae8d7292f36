import type { CommandWords, Values } from "./words.ts";

/** Writes the completion script for fish, to be sourced or put into `~/.config/fish/completions`. */
export function fishCompletion(name: string, commands: readonly CommandWords[]): string {
  const at = `__${name}_at`;
  const names = commands.flatMap(({ path, commands: below }) => below.map((sub) => [...path, sub.name].join(" ")));
  const taking = commands.flatMap(({ path, options }) =>
    options.flatMap(({ spellings, value }) =>
      value === undefined ? [] : spellings.map((spelling) => `${path.join(" ")} ${spelling}`),
    ),
  );
  const lines = commands.flatMap(({ path, commands: below, options, operands }) => {
    const here = `complete -c ${name} -n ${quoted(`${at} ${quoted(path.join(" "))}`)}`;
    const operandsHere = operands.flatMap((values, index) =>
      values === "any"
        ? []
        : [`complete -c ${name} -n ${quoted(`${at} ${quoted(path.join(" "))} ${index}`)} ${wanted(values, "-k -f")}`],
    );
    return [
      ...below.map((sub) => `${here} -f -a ${quoted(sub.name)} -d ${quoted(sub.description)}`),
      ...options.map(({ spellings, description, value, optional }) => {
        const flags = spellings.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
        const takes = value === undefined || optional ? "" : ` ${wanted(value, "-x")}`;
        return `${here} ${flags.join(" ")}${takes} -d ${quoted(description)}`;
      }),
      ...operandsHere,
    ];
  });
  return `# fish completion for ${name}: ${name} completion fish | source

set -g __${name}_commands ${names.map(quoted).join(" ")}
set -g __${name}_taking ${taking.map(quoted).join(" ")}

# Whether the cursor is behind a command, and, where that is asked, behind so many words that are neither command nor option.
function ${at}
  set -l place
  set -l operands 0
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    set -l there (string trim -- "$place $word")
    if test $skip = 1; and not string match -q -- '-?*' $word
      set skip 0
    else if string match -q -- '-*' $word
      set skip 0
      contains -- "$place $word" $__${name}_taking; and set skip 1
    else if contains -- $there $__${name}_commands
      set place $there
    else
      set operands (math $operands + 1)
    end
  end
  test "$place" = "$argv[1]"; or return 1
  test (count $argv) -lt 2; or test $operands = $argv[2]
end

# No files, but where one is asked for.
complete -c ${name} -f
${lines.join("\n")}
`;
}

/** What may stand as a value; `exclusive` keeps files out. */
function wanted(values: Values, exclusive: string): string {
  if (values === "file") return "-r -F";
  return values === "any" ? exclusive : `${exclusive} -a ${quoted(values.join(" "))}`;
}

/** In single quotes fish reads nothing but a backslash before itself and before the quote. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}

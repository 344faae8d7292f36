import type { CommandWords, Values } from "./words.ts";

/** Writes the completion script for zsh, to be sourced after `compinit` or put into a folder of `fpath` as `_NAME`. */
export function zshCompletion(name: string, commands: readonly CommandWords[]): string {
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)

${commands.map((words) => functionOf(name, words)).join("\n")}
# Sourced, it is registered here; found in fpath, it is called.
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

/** The function of one command; those of the commands below it are called from there. */
function functionOf(name: string, { path, commands, options, operands }: CommandWords): string {
  const functionName = ["", name, ...path].join("_");
  const specs = [
    ...options.flatMap(({ spellings, description, value, optional }) => {
      const told = `[${escaped(description)}]${value === undefined ? "" : `${optional ? "::" : ":"}value:${action(value)}`}`;
      // Each excludes the other; written one by one, since quoting hides braces.
      const excluded = spellings.length > 1 ? `(${spellings.join(" ")})` : "";
      return spellings.map((spelling) => `${excluded}${spelling}${told}`);
    }),
    ...operands.map((values) => `:value:${action(values)}`),
  ];
  if (commands.length === 0) {
    return `${functionName}() {
  _arguments -s ${specs.map(quoted).join(" \\\n    ")}
}
`;
  }
  const described = commands.map((command) => quoted(`${command.name}:${command.description}`));
  return `${functionName}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -s -C ${[...specs, ": :->command", "*:: :->rest"].map(quoted).join(" \\\n    ")}
  case $state in
    command)
      local -a commands=(
        ${described.join("\n        ")}
      )
      _describe command commands ;;
    rest)
      case $line[1] in
        ${commands.map((command) => `${command.name}) ${functionName}_${command.name} ;;`).join("\n        ")}
      esac ;;
  esac
}
`;
}

function action(values: Values): string {
  if (values === "file") return "_files";
  return values === "any" ? " " : `(${values.join(" ")})`;
}

/** What would end a description in a spec of `_arguments`. */
function escaped(description: string): string {
  return description.replaceAll(/[\\\][:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

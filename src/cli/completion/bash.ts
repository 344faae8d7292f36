import type { CommandWords, Values } from "./words.ts";

/**
 * Writes the completion script for bash, in the words of 3.2, which is what macOS has. Words are matched one by one, so that the value
 * of an option is never taken for a command.
 */
export function bashCompletion(name: string, commands: readonly CommandWords[]): string {
  const functionName = `_${name.replaceAll(/\W/g, "_")}`;
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap(({ spellings, value }) =>
      value === undefined ? [] : [`    ${patterns(path, spellings)}) ${reply(value)} ;;`],
    ),
  );
  return `# bash completion for ${name}: source <(${name} completion bash)

# Prints what follows an option at a place, or fails where it takes no value.
${functionName}_value() {
  case "$1" in
${values.join("\n")}
    *) return 1 ;;
  esac
}

# Sets what can stand at a place: its commands, its options, and the kinds of what stands where no option does.
${functionName}_words() {
  case "$1" in
${commands.map(({ path, ...words }) => `    ${quoted(path.join(" "))}) ${lists(words)} ;;`).join("\n")}
  esac
}

${functionName}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place="" before="" commands="" options="" operands="" kind="" word index
  COMPREPLY=()
  ${functionName}_words ""
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    # bash takes --option=value for three words.
    if [[ $word == "=" && $before == -* ]]; then continue; fi
    if [[ $before == -* && $word != -?* ]] && ${functionName}_value "$place $before" >/dev/null; then
      before=""
      continue
    fi
    before="$word"
    if [[ " $commands " == *" $word "* ]]; then
      place="\${place:+$place }$word"
      before=""
      ${functionName}_words "$place"
    elif [[ $word != -* ]]; then
      operands="\${operands#* }"
    fi
  done
  if [[ $current == "=" ]]; then current=""; fi
  if [[ $current == -* ]]; then kind="$options"
  elif [[ $before == -* ]] && kind="$(${functionName}_value "$place $before")"; then :
  elif [[ -n $commands ]]; then kind="$commands"
  else kind="\${operands%% *}"; kind="\${kind//,/ }"
  fi
  if [[ $kind == "<file>" ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  elif [[ $kind != "<any>" ]]; then
    COMPREPLY=($(compgen -W "$kind" -- "$current"))
  fi
}

complete -F ${functionName} ${name}
`;
}

/** What a place and an option are together, in every spelling. */
function patterns(path: readonly string[], spellings: readonly string[]): string {
  return spellings.map((spelling) => quoted(`${path.join(" ")} ${spelling}`)).join(" | ");
}

function reply(value: Values): string {
  return `printf %s ${quoted(written(value, " "))}`;
}

function lists({ commands, options, operands }: Omit<CommandWords, "path">): string {
  const names = commands.map(({ name }) => name).join(" ");
  const spellings = options.flatMap((option) => option.spellings).join(" ");
  const kinds = operands.map((values) => written(values, ",")).join(" ");
  return `commands=${quoted(names)} options=${quoted(spellings)} operands=${quoted(`${kinds} `)}`;
}

function written(values: Values, separator: string): string {
  return typeof values === "string" ? `<${values}>` : values.join(separator);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

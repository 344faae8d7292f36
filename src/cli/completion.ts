import { Argument, Command } from "commander";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { type CommandWords, wordsOf } from "./completion/words.ts";
import { zshCompletion } from "./completion/zsh.ts";

const SHELLS: Readonly<Record<string, (name: string, commands: readonly CommandWords[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `keyward completion bash|zsh|fish`: prints what makes the shell complete the words of every command that there is. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      `
Examples:
  source <(keyward completion bash)     # in ~/.bashrc
  source <(keyward completion zsh)      # in ~/.zshrc, after compinit
  keyward completion fish | source      # in ~/.config/fish/config.fish`,
    )
    .action((shell: string, _, command: Command) => {
      const program = command.parent ?? command;
      process.stdout.write(SHELLS[shell]?.(program.name(), wordsOf(program)) ?? "");
    });
}

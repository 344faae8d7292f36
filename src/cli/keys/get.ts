import { Command } from "commander";
import { GetKeyResponseSchema } from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { facts, printMessage } from "../output.ts";
import { keyClient, keyFacts, NAMES, usageFacts } from "./show.ts";

/** `keyward keys get`. */
export function getCommand(): Command {
  const command = new Command("get").description("show one key, and from where it was used").argument("<key>", NAMES);
  return addCommonFlags(command, "its id").action(async (key: string, flags: CommonFlags) => {
    const answer = await keyClient(flags).getKey({ key });
    printMessage(flags, GetKeyResponseSchema, answer, {
      quiet: answer.key?.id ?? "",
      table: facts([...keyFacts(answer.key), ...usageFacts(answer)]),
    });
  });
}

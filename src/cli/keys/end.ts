import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import type { Key } from "../../gen/keyward/admin/v1/key_pb.ts";
import {
  DisableKeyResponseSchema,
  EnableKeyResponseSchema,
  RevokeKeyResponseSchema,
} from "../../gen/keyward/admin/v1/key_service_pb.ts";
import { addCommonFlags, type CommonFlags } from "../common-flags.ts";
import { facts, printMessage, tell } from "../output.ts";
import { keyClient, keyFacts, NAMES } from "./show.ts";

/** `keyward keys revoke`. */
export function revokeCommand(): Command {
  const command = new Command("revoke")
    .description("end a key for good; the next check refuses it")
    .argument("<key>", NAMES)
    .option("--reason <text>", "why, for those who ask later");
  return addCommonFlags(command, "its id").action(
    async (key: string, flags: CommonFlags & { readonly reason?: string }) => {
      const answer = await keyClient(flags).revokeKey({ key, reason: flags.reason ?? "" });
      show(flags, RevokeKeyResponseSchema, answer);
    },
  );
}

/** `keyward keys disable`. */
export function disableCommand(): Command {
  const command = new Command("disable").description("refuse a key until it is enabled again").argument("<key>", NAMES);
  return addCommonFlags(command, "its id").action(async (key: string, flags: CommonFlags) => {
    show(flags, DisableKeyResponseSchema, await keyClient(flags).disableKey({ key }));
  });
}

/** `keyward keys enable`. */
export function enableCommand(): Command {
  const command = new Command("enable").description("let a disabled key open again").argument("<key>", NAMES);
  return addCommonFlags(command, "its id").action(async (key: string, flags: CommonFlags) => {
    show(flags, EnableKeyResponseSchema, await keyClient(flags).enableKey({ key }));
  });
}

function show<Schema extends DescMessage>(
  flags: CommonFlags,
  schema: Schema,
  answer: MessageShape<Schema> & { readonly key?: Key | undefined; readonly warning: string },
): void {
  printMessage(flags, schema, answer, { quiet: answer.key?.id ?? "", table: facts(keyFacts(answer.key)) });
  if (answer.warning !== "") tell(`warning: ${answer.warning}`);
}

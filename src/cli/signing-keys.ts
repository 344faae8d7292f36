import { createClient } from "@connectrpc/connect";
import { Command, Option } from "commander";
import {
  RotateSigningKeyResponseSchema,
  type SigningKey,
  SystemService,
} from "../gen/keyward/admin/v1/system_service_pb.ts";
import { SIGNING_ALGS } from "../key/signing-alg.ts";
import { connectAdmin } from "./admin-connection.ts";
import { addCommonFlags, type CommonFlags } from "./common-flags.ts";
import { facts, printMessage, tell } from "./output.ts";
import { shownTime } from "./values.ts";

interface RotateFlags extends CommonFlags {
  readonly alg?: string;
  readonly withdrawEarlier?: boolean;
}

/** `keyward signing-keys rotate`. */
export function signingKeysCommand(): Command {
  return new Command("signing-keys").description("replace what signs keys (JWT)").addCommand(rotateCommand());
}

function rotateCommand(): Command {
  const command = new Command("rotate")
    .description("make a new key that signs keys from now on; what was signed before is verified as before")
    .addOption(new Option("--alg <alg>", "what it signs with (default: RS256)").choices(SIGNING_ALGS))
    .option("--withdraw-earlier", "take the earlier ones out of /.well-known/jwks.json: others know one of them")
    .addHelpText("after", "\nExample:\n  keyward signing-keys rotate --alg ES256");
  return addCommonFlags(command, "its kid").action(async (flags: RotateFlags) => {
    const { alg = "", withdrawEarlier = false } = flags;
    const answer = await createClient(SystemService, connectAdmin(flags)).rotateSigningKey({ alg, withdrawEarlier });
    const { signingKey, earlier } = answer;
    printMessage(flags, RotateSigningKeyResponseSchema, answer, {
      quiet: signingKey?.kid ?? "",
      table: facts([
        ["kid", signingKey?.kid ?? ""],
        ["alg", signingKey?.alg ?? ""],
        ["created", shownTime(signingKey?.createdAt)],
        ["earlier", earlier.map(shownEarlier).join("\n")],
      ]),
    });
    if (!flags.quiet && withdrawEarlier) {
      tell(
        "Back ends refuse what earlier ones have signed once they fetch the JWKS again. Keyward takes it still: revoke the keys.",
      );
    }
  });
}

function shownEarlier({ kid, tokensEndAt }: SigningKey): string {
  return `${kid}, published ${tokensEndAt === undefined ? "for good" : `until ${shownTime(tokensEndAt)}`}`;
}

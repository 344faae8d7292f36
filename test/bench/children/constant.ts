/** The method that is called. */
export const CHECK_PATH = "/envoy.service.auth.v3.Authorization/Check";

/** The message that a bare server answers to everything: what Keyward answers to the same request. */
export function constantAnswer(): Buffer {
  const [, , base64 = ""] = process.argv;
  return Buffer.from(base64, "base64");
}

/** Says where it serves, in the manner of Keyward. */
export function tellServing(port: number): void {
  process.stderr.write(`${JSON.stringify({ msg: "serving", authz: `127.0.0.1:${port}` })}\n`);
}

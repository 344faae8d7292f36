import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { secretOf } from "../support/sample-keys.ts";
import { until } from "../support/until.ts";
import { type EnvoyInFront, type Gateway, startGateway } from "./support/gateway.ts";

const SECRET = secretOf("single");

const gateways: { gateway: Gateway; envoy: EnvoyInFront; env: Record<string, string> }[] = [];

beforeAll(async () => {
  for (const env of [{}, { KEYWARD_SINGLE_KEY: SECRET }]) {
    const gateway = await startGateway({ flags: ["--single-key"], env });
    gateways.push({ gateway, envoy: await gateway.shipped(), env });
  }
});

afterAll(() => Promise.all(gateways.map(({ gateway }) => gateway.stop())));

/** What the shell makes of the header and the address of the line that was printed. */
function printedRequest(printed: string, env: Record<string, string>): { header: string; url: string } {
  const line = printed.split("\n").find((candidate) => candidate.includes("curl ")) ?? "";
  const script = `curl() { printf '%s\\n' "$@"; }\n${line}`;
  const said = execFileSync("sh", ["-c", script], { env: { ...process.env, ...env }, encoding: "utf8" });
  const [, , header = "", url = ""] = said.split("\n");
  return { header, url };
}

test.each([
  ["that was drawn", 0],
  ["of KEYWARD_SINGLE_KEY", 1],
])("the line that is printed opens the shipped Envoy with the key %s, and not with its neighbour", async (_, which) => {
  const { gateway, envoy, env } = gateways[which] ?? expect.fail("it was not started");
  await until("the line was printed", () => gateway.keyward.stdout().includes("curl"));
  const { header, url } = printedRequest(gateway.keyward.stdout(), env);
  const [name = "", value = ""] = header.split(": ");
  const ask = async (presented: string) => {
    const answer = await fetch(url.replace("127.0.0.1:8080", `127.0.0.1:${envoy.port}`), {
      headers: { [name]: presented },
    });
    return [answer.status, answer.headers.get("x-keyward-reason")];
  };
  expect(await ask(value)).toEqual([200, null]);
  expect(await ask(`Bearer ${secretOf("nobody's")}`)).toEqual([401, "unknown_key"]);
  expect(await ask(value.slice(0, -1))).toEqual([401, "malformed_credential"]);
});

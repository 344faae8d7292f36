import { describe, expect, test } from "vitest";
import { adminCall, createKey } from "../support/admin-call.ts";
import { describeRequest } from "../support/check-request.ts";
import { runCli } from "../support/cli.ts";
import { checkClientForThisTest, folderForThisTest, keywardForThisTest } from "../support/for-this-test.ts";
import { until } from "../support/until.ts";

/** A key and who uses it, as GetKey tells it. */
interface Shown {
  key: { state: string; updatedAt: string; useCount?: string; lastUsedAt?: string };
  networks?: { value: string }[];
  userAgents?: { value: string }[];
}

async function world() {
  const keyward = await keywardForThisTest();
  const client = checkClientForThisTest(keyward.authz);
  const use = async (secret: string, agent = "curl/8.5.0") => {
    const headers = [["authorization", `Bearer ${secret}`] as const, ["user-agent", agent] as const];
    return (await client.checkBytes(describeRequest({ headers, sourceAddress: "203.0.113.9" }))).reason;
  };
  const recordOf = (id: string) => adminCall<Shown>(keyward.adminSocket, "KeyService/GetKey", { key: id });
  const countOf = async (id: string) => Number((await recordOf(id)).key.useCount ?? 0);
  const json = async (...args: string[]) => JSON.parse((await keyward.cli(...args, "-o", "json")).stdout);
  return { keyward, use, recordOf, countOf, json };
}

describe("keyward keys", () => {
  test("list and get show who uses a key, and --unused-for leaves it out", async () => {
    const { keyward, use, countOf, json } = await world();
    const used = await createKey(keyward.adminSocket, { name: "used" });
    const idle = await createKey(keyward.adminSocket, { name: "idle" });
    await use(used.secret);
    await use(used.secret);
    await until("the uses are written down", async () => (await countOf(used.id)) === 2);

    const { stdout } = await keyward.cli("keys", "get", used.id);
    expect(stdout).toMatch(/^last used +\S+Z from 203\.0\.113\.9$/m);
    expect(stdout).toMatch(/^uses +2$/m);
    expect(stdout).toMatch(/^networks +203\.0\.113\.0\/24 \(\S+Z to \S+Z\)$/m);
    // Only of keys that are to be replaced.
    expect(stdout).not.toContain("curl");
    expect((await keyward.cli("keys", "get", idle.id)).stdout).toMatch(/^last used +never$/m);

    const [, first = "", second = ""] = (await keyward.cli("keys", "list")).stdout.split("\n");
    expect([first.trimEnd().split(/ {2,}/).length, second.trimEnd().split(/ {2,}/).at(-1)]).toEqual([7, "never"]);
    const unused = async (span: string) => {
      const { keys = [] } = (await json("keys", "list", "--unused-for", span)) as { keys?: { id: string }[] };
      return keys.map(({ id }) => id);
    };
    expect([await unused("0"), await unused("90d")]).toEqual([[used.id, idle.id], []]);
    expect(await keyward.cli("keys", "list", "--unused-for", "ever")).toMatchObject({
      code: 2,
      stderr: "keyward: --unused-for ever must be a duration such as 600 (seconds), 24h or 7d\n",
    });
  });

  test("rotate --until-quiet ends the old key once nobody uses it, and get tells who still does", async () => {
    const { keyward, use, recordOf, countOf } = await world();
    const { id, secret } = await createKey(keyward.adminSocket, { name: "old" });
    const { stderr, stdout } = await keyward.cli(
      "keys",
      "rotate",
      id,
      "--until-quiet",
      "3s",
      "--at-most",
      "1h",
      "-o",
      "json",
    );
    expect(stderr).toMatch(/^The old key \S+ opens until \S+Z, or until it has not been used for 3s\.\n$/);
    const answer = JSON.parse(stdout) as { secret: string; rotated: { untilQuiet: string } };
    expect(answer.rotated.untilQuiet).toBe("3s");

    let uses = 0;
    await until("who uses it is told, and it has lasted longer than the quiet period", async () => {
      expect(await use(secret, "old client/1.0")).toBe("allowed");
      uses++;
      const { networks = [], userAgents = [], key } = await recordOf(id);
      const seen = [networks[0]?.value, userAgents[0]?.value];
      const lasted = Date.parse(key.lastUsedAt ?? "") - Date.parse(key.updatedAt);
      return seen.join() === "203.0.113.0/24,old client/1.0" && lasted > 3_500;
    });
    const shown = (await keyward.cli("keys", "get", id)).stdout;
    expect(shown).toMatch(/^or until quiet +for 3s$/m);
    expect(shown).toMatch(/^user agents +old client\/1\.0 \(\S+Z to \S+Z\)$/m);

    await until("it is revoked", async () => (await recordOf(id)).key.state === "KEY_STATE_REVOKED");
    const { key } = await recordOf(id);
    expect(key).toMatchObject({ revokedBy: "keyward", revokeReason: "rotated, and not used for 3s" });
    expect([await use(secret), await use(answer.secret)]).toEqual(["key_revoked", "allowed"]);
    expect(await countOf(id)).toBe(uses);
  });

  test.each([
    [["--at-most", "1d"], "--at-most needs --until-quiet; without it, --grace says when it ends"],
    [["--until-quiet", "1d", "--grace", "1d"], "--grace contradicts --until-quiet; its hard end is --at-most"],
    [["--until-quiet", "soon"], "--until-quiet soon must be a duration such as 600 (seconds), 24h or 7d"],
    [["--until-quiet", "1d", "--at-most", "x"], "--at-most x must be a duration such as 600 (seconds), 24h or 7d"],
  ])("rotate with %j is refused", async (flags, message) => {
    // No program runs there: it is not asked.
    const args = ["keys", "rotate", "key_0VbbtArB0BXOUue9abRF", ...flags];
    const { code, stderr } = await runCli(args, { cwd: folderForThisTest() });
    expect([code, stderr]).toEqual([2, `keyward: ${message}\n`]);
  });
});

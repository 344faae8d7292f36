import { describe, expect, test } from "vitest";
import { isOwner } from "../../src/key/owner.ts";

describe("a text can be an owner", () => {
  test.each([
    ["a user", "user/alice", true],
    ["a service", "service/ci", true],
    ["a project", "project/7", true],
    ["another kind", "team/ci", false],
    ["a kind in capitals", "User/alice", false],
    ["a kind one character longer", "users/alice", false],
    ["a kind one character shorter", "use/alice", false],
    ["no kind", "/alice", false],
    ["no slash", "useralice", false],
    ["no name", "user/", false],
    ["a kind alone", "user", false],
    ["nothing", "", false],
    ["a name of one character", "user/a", true],
    ["capitals in the name", "user/Alice", true],
    ["an e-mail address", "user/alice.b+c@example-1.test", true],
    ["an underscore", "user/a_b", true],
    ["a second slash", "user/a/b", false],
    ["an escape", "user/a%40b", false],
    ["a colon", "user/a:b", false],
    ["a space", "user/a b", false],
    ["a line end behind it", "user/alice\n", false],
    ["a letter that is not ASCII", "user/\u00e9", false],
    ["a name of 128 characters", `project/${"p".repeat(128)}`, true],
    ["a name of 129 characters", `project/${"p".repeat(129)}`, false],
  ])("%s: %j is %s", (_title, text, is) => {
    expect(isOwner(text)).toBe(is);
  });
});

import { describe, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const defining = serveOnce({
  config: 'scopes: { "api:read": {}, "api:write": { implies: ["api:read"] } }\n',
});

const counted = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);

/** What is said of an owner, and the fields that the refusal names; none: it is sound. */
type Row = readonly [title: string, said: object, fields: readonly string[]];

/** What an owner can be. */
const FIELDS: readonly Row[] = [
  ["a display name of 200 characters", { display_name: "x".repeat(200) }, []],
  ["a display name of 201 characters", { display_name: "x".repeat(201) }, ["display_name"]],
  ["a display name of 200 characters outside the basic plane", { display_name: "🔑".repeat(200) }, []],
  ["a display name of 201 characters outside the basic plane", { display_name: "🔑".repeat(201) }, ["display_name"]],
  ["a display name with a line break", { display_name: "a\nb" }, ["display_name"]],
  ["a display name with a space", { display_name: "a b" }, []],
  ["an empty scope", { scopes: [""] }, ["scopes[0]"]],
  ["a scope", { scopes: ["a"] }, []],
  ["100 scopes", { scopes: counted(100) }, []],
  ["101 scopes", { scopes: counted(101) }, ["scopes"]],
  ["100 scopes, one of them twice", { scopes: [...counted(100), "s0"] }, []],
  ["a scope of 128 characters", { scopes: ["x".repeat(128)] }, []],
  ["a scope of 129 characters", { scopes: ["x".repeat(129)] }, ["scopes[0]"]],
  ["a scope with a space", { scopes: ["ok", "api read"] }, ["scopes[1]"]],
  ["a scope with a comma", { scopes: ["api,read"] }, ["scopes[0]"]],
  ["a wildcard", { scopes: ["orders:*"] }, []],
  ["a star that is not a whole segment", { scopes: ["orders*"] }, ["scopes[0]"]],
  ["a star", { scopes: ["*"] }, []],
];

/** How an owner is named. */
const NAMES: readonly Row[] = [
  ["no owner", {}, ["owner"]],
  ["an empty owner", { owner: "" }, ["owner"]],
  ["a user", { owner: "user/alice" }, []],
  ["a service", { owner: "service/ci" }, []],
  ["a project", { owner: "project/p" }, []],
  ["another kind", { owner: "users/alice" }, ["owner"]],
  ["a kind in upper case", { owner: "User/alice" }, ["owner"]],
  ["no kind", { owner: "alice" }, ["owner"]],
  ["no name", { owner: "user/" }, ["owner"]],
  ["a second slash", { owner: "user/a/b" }, ["owner"]],
  ["a space", { owner: "user/a b" }, ["owner"]],
  ["a line break at its end", { owner: "user/a\n" }, ["owner"]],
  ["every sign that may stand in it", { owner: "user/A.z_0@x+y-z" }, []],
  ["128 characters", { owner: `user/${"a".repeat(128)}` }, []],
  ["129 characters", { owner: `user/${"a".repeat(129)}` }, ["owner"]],
  ["a tenant of 63 characters", { owner: "user/a", tenant: "a".repeat(63) }, []],
  ["a tenant of 64 characters", { owner: "user/a", tenant: "a".repeat(64) }, ["tenant"]],
  ["a tenant that begins with a digit", { owner: "user/a", tenant: "9-_" }, []],
  ["a tenant that begins with a hyphen", { owner: "user/a", tenant: "-a" }, ["tenant"]],
  ["a tenant with an upper-case letter", { owner: "user/a", tenant: "Acme" }, ["tenant"]],
  ["both wrong", { owner: "a", tenant: "A" }, ["owner", "tenant"]],
];

const SOUND = ([, , fields]: Row) => fields.length === 0;
const WRONG = ([, , fields]: Row) => fields.length > 0;
const refusal = (fields: readonly string[]) => ({ status: 400, refused: { code: "invalid_argument", fields } });
let count = 0;
const fresh = () => `user/u${++count}`;

describe("CreateOwner", () => {
  test.each(FIELDS.filter(SOUND))("with %s registers an owner", async (_, said) => {
    const { status } = await served().post("OwnerService/CreateOwner", { owner: fresh(), ...said });
    expect(status).toBe(200);
  });

  test.each(FIELDS.filter(WRONG))("with %s is refused by its field", async (_, said, fields) => {
    const answer = await served().post("OwnerService/CreateOwner", { owner: fresh(), ...said });
    expect(answer).toMatchObject(refusal(fields));
  });

  test.each([
    [{ display_name: "x".repeat(201) }, "has 201 characters; it must have <= 200"],
    [{ scopes: counted(101) }, "has 101 items; it must have <= 100"],
    [{ tenant: "A" }, '"A" must be 1 to 63 of a-z, 0-9, "-" and "_", the first a letter or digit'],
    [{ owner: "" }, "is required"],
    [
      { owner: "bob" },
      '"bob" must be "user/…", "service/…" or "project/…", then 1 to 128 of A-Z, a-z, 0-9 and . _ @ + -',
    ],
  ])("says value and bound: %j", async (said, description) => {
    const { refused } = await served().post("OwnerService/CreateOwner", { owner: fresh(), ...said });
    expect(refused?.descriptions).toEqual([description]);
  });
});

describe("UpdateOwner", () => {
  const all = { updateMask: "displayName,scopes" };

  test.each(FIELDS.filter(SOUND))("with %s changes an owner", async (_, said) => {
    const owner = fresh();
    await served().post("OwnerService/CreateOwner", { owner });
    const { status } = await served().post("OwnerService/UpdateOwner", { owner, ...all, ...said });
    expect(status).toBe(200);
  });

  test.each(FIELDS.filter(WRONG))("with %s is refused by its field, and changes nothing", async (_, said, fields) => {
    const owner = fresh();
    const { answer: before } = await served().post("OwnerService/CreateOwner", { owner, scopes: ["kept"] });
    expect(await served().post("OwnerService/UpdateOwner", { owner, ...all, ...said })).toMatchObject(refusal(fields));
    const { answer: after } = await served().post("OwnerService/GetOwner", { owner });
    expect(after.owner).toEqual(before.owner);
  });

  const CAN = "display_name, scopes, limit_scopes, disabled";

  test.each<[title: string, request: object, field: string, description: string]>([
    ["no mask", {}, "update_mask", `must name one or more of ${CAN}`],
    ["an empty mask", { updateMask: "" }, "update_mask", `must name one or more of ${CAN}`],
    ["a mask with an unknown field", { updateMask: "scope" }, "update_mask", `names "scope"; it can name ${CAN}`],
    [
      "a mask with an output-only field",
      { updateMask: "keyCount" },
      "update_mask",
      `names "key_count"; it can name ${CAN}`,
    ],
    [
      "a mask with the time of another field",
      { updateMask: "disabled,disabledAt" },
      "update_mask",
      `names "disabled_at"; it can name ${CAN}`,
    ],
    ["a mask with the name", { updateMask: "owner" }, "update_mask", `names "owner"; it can name ${CAN}`],
    ["a mask with the tenant", { updateMask: "disabled,tenant" }, "update_mask", `names "tenant"; it can name ${CAN}`],
    [
      "scopes that are not to limit",
      { updateMask: "scopes,limitScopes", scopes: ["a"] },
      "limit_scopes",
      "must be true where scopes are given",
    ],
  ])("with %s is refused", async (_, request, field, description) => {
    const answer = await served().post("OwnerService/UpdateOwner", { owner: fresh(), ...request });
    expect(answer).toMatchObject(refusal([field]));
    expect(answer.refused?.descriptions).toEqual([description]);
  });

  test("does not look at what the mask does not name", async () => {
    const owner = fresh();
    await served().post("OwnerService/CreateOwner", { owner });
    const wrong = { scopes: ["a b"], display_name: "\n" };
    const { status } = await served().post("OwnerService/UpdateOwner", { owner, updateMask: "disabled", ...wrong });
    expect(status).toBe(200);
  });
});

describe.each<[method: string, more: object, status: number]>([
  ["CreateOwner", {}, 200],
  ["GetOwner", {}, 200],
  ["UpdateOwner", { updateMask: "disabled" }, 200],
  ["DeleteOwner", {}, 200],
])("%s", (method, more, status) => {
  test.each(NAMES.filter(SOUND))("takes %s", async (_, named) => {
    const other = method === "CreateOwner" ? "DeleteOwner" : "CreateOwner";
    await served().post(`OwnerService/${other}`, named);
    expect(await served().post(`OwnerService/${method}`, { ...named, ...more })).toMatchObject({ status });
  });

  test.each(NAMES.filter(WRONG))("refuses %s by its field", async (_, named, fields) => {
    expect(await served().post(`OwnerService/${method}`, { ...named, ...more })).toMatchObject(refusal(fields));
  });
});

describe.each<[method: string, more: object]>([
  ["CreateOwner", {}],
  ["UpdateOwner", { updateMask: "scopes" }],
])("%s where the configuration defines scopes", (method, more) => {
  test.each<[title: string, scopes: string[], ...descriptions: string[]]>([
    ["takes those", ["api:read", "api:write"]],
    ["takes a wildcard that covers one of them", ["api:*"]],
    ["takes *", ["*"]],
    [
      "refuses another, and says which is near",
      ["api:reed"],
      '"api:reed" is not among the scopes of the configuration (did you mean "api:read"?)',
    ],
    ["refuses a wildcard that covers none", ["app:*"], '"app:*" is not among the scopes of the configuration'],
  ])("%s", async (_, scopes, ...descriptions) => {
    const owner = fresh();
    if (method === "UpdateOwner") await defining().post("OwnerService/CreateOwner", { owner });
    const { refused } = await defining().post(`OwnerService/${method}`, { owner, scopes, ...more });
    expect(refused?.descriptions ?? []).toEqual(descriptions);
  });
});

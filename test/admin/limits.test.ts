import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const DAY_MS = 86_400_000;

describe("a key's limits", () => {
  const served = serveOnce();
  const counted = (count: number, write: (index: number) => string) =>
    Array.from({ length: count }, (_, at) => write(at));

  type Row = [title: string, request: object, ...fields: string[]];
  /** Lists, and the fields that the refusal names; none: it makes a key with just these. */
  const rows: Row[] = [
    ["a method", { methods: ["GET"] }],
    ["a method in lower case", { methods: ["get"] }, "methods[0]"],
    ["several methods", { methods: ["GET", "POST"] }],
    ["several methods in one", { methods: ["GET,POST"] }, "methods[0]"],
    ["a method of WebDAV", { methods: ["PROPFIND"] }],
    ["the method that has no path", { methods: ["GET", "CONNECT"] }, "methods[1]"],
    ["a method with a hyphen", { methods: ["M-SEARCH"] }],
    ["a method with a space", { methods: ["GET "] }, "methods[0]"],
    ["an empty method", { methods: [""] }, "methods[0]"],
    ["any method", { methods: ["*"] }, "methods[0]"],
    ["20 methods", { methods: counted(20, (at) => `M${String.fromCharCode(65 + at)}`) }],
    ["21 methods", { methods: counted(21, (at) => `M${String.fromCharCode(65 + at)}`) }, "methods"],

    ["an IPv4 network", { cidrs: ["10.0.0.0/8"] }],
    ["an IPv4 network with host bits", { cidrs: ["10.0.0.1/8"] }, "cidrs[0]"],
    ["an IPv4 network within a byte", { cidrs: ["192.0.2.64/26"] }],
    ["host bits within a byte", { cidrs: ["192.0.2.65/26"] }, "cidrs[0]"],
    ["an address", { cidrs: ["192.0.2.1"] }],
    ["an address cut short", { cidrs: ["192.0.2"] }, "cidrs[0]"],
    ["a network of one address", { cidrs: ["192.0.2.1/32"] }],
    ["a prefix of 33 bits", { cidrs: ["192.0.2.1/33"] }, "cidrs[0]"],
    ["all of IPv4", { cidrs: ["0.0.0.0/0"] }],
    ["all of IPv4 with host bits", { cidrs: ["0.0.0.1/0"] }, "cidrs[0]"],
    ["an IPv6 network", { cidrs: ["2001:db8::/32"] }],
    ["an IPv6 network with host bits", { cidrs: ["2001:db8::1/32"] }, "cidrs[0]"],
    ["an IPv6 network of one address", { cidrs: ["2001:db8::1/128"] }],
    ["a prefix of 129 bits", { cidrs: ["2001:db8::1/129"] }, "cidrs[0]"],
    ["an IPv6 address in upper case", { cidrs: ["2001:DB8::1"] }],
    ["an IPv6 address with a zone", { cidrs: ["fe80::1%eth0"] }, "cidrs[0]"],
    ["a network of mapped addresses", { cidrs: ["::ffff:10.0.0.0/104"] }],
    ["a network of mapped addresses with host bits", { cidrs: ["::ffff:10.0.0.1/104"] }, "cidrs[0]"],
    ["a mapped address", { cidrs: ["::ffff:10.0.0.1"] }],
    ["a mapped address in octal", { cidrs: ["::ffff:010.0.0.1"] }, "cidrs[0]"],
    ["an address in octal", { cidrs: ["010.0.0.1"] }, "cidrs[0]"],
    ["an address in hexadecimal", { cidrs: ["0x0a000001"] }, "cidrs[0]"],
    ["an address that is one number", { cidrs: ["167772161"] }, "cidrs[0]"],
    ["a prefix of no digits", { cidrs: ["10.0.0.0/"] }, "cidrs[0]"],
    ["a prefix below 0", { cidrs: ["10.0.0.0/-1"] }, "cidrs[0]"],
    ["two prefixes", { cidrs: ["10.0.0.0/8/8"] }, "cidrs[0]"],
    ["a mask for a prefix", { cidrs: ["10.0.0.0/255.0.0.0"] }, "cidrs[0]"],
    ["a name of a host", { cidrs: ["10.0.0.0/8", "localhost"] }, "cidrs[1]"],
    ["an address with a port", { cidrs: ["10.0.0.1:80"] }, "cidrs[0]"],
    ["an IPv6 address in brackets", { cidrs: ["[::1]"] }, "cidrs[0]"],
    ["an empty network", { cidrs: [""] }, "cidrs[0]"],
    ["a network with a space", { cidrs: ["10.0.0.0/8 "] }, "cidrs[0]"],
    ["two networks in one", { cidrs: ["10.0.0.0/8,192.168.0.0/16"] }, "cidrs[0]"],
    ["50 networks", { cidrs: counted(50, (at) => `10.${at}.0.0/16`) }],
    ["51 networks", { cidrs: counted(51, (at) => `10.${at}.0.0/16`) }, "cidrs"],
  ];

  test.each<Row>(rows.filter(([, , field]) => field === undefined))("%s can be one", async (_, request) => {
    const { status, answer } = await served().post("KeyService/CreateKey", { name: "k", ...request });
    expect({ status, answer }).toMatchObject({ status: 200, answer: { key: request } });
  });

  test.each<Row>(rows.filter(([, , field]) => field !== undefined))(
    "%s is refused by its field",
    async (_, request, ...fields) => {
      const { status, refused } = await served().post("KeyService/CreateKey", { name: "k", ...request });
      expect({ status, refused }).toMatchObject({ status: 400, refused: { code: "invalid_argument", fields } });
    },
  );

  test.each<[cidr: string, description: string]>([
    ["10.0.0.1/8", '"10.0.0.1/8" has bits beyond its prefix; write 10.0.0.0/8'],
    ["2001:db8::1/32", '"2001:db8::1/32" has bits beyond its prefix; write 2001:db8::/32'],
    ["10.0.0.0/33", '"10.0.0.0/33" has no valid prefix length'],
    ["localhost", '"localhost" must be a network such as 10.0.0.0/8, or an address'],
  ])("the refusal of %s says what to write", async (cidr, description) => {
    const { refused } = await served().post("KeyService/CreateKey", { name: "k", cidrs: [cidr] });
    expect(refused?.descriptions).toEqual([description]);
  });

  test("each stands once", async () => {
    const { answer } = await served().post("KeyService/CreateKey", {
      name: "k",
      methods: ["GET", "HEAD", "GET"],
      cidrs: ["10.0.0.0/8", "10.0.0.0/8"],
    });
    expect(answer.key).toMatchObject({ methods: ["GET", "HEAD"], cidrs: ["10.0.0.0/8"] });
  });

  test("without any life in the configuration a key never expires", async () => {
    const { answer } = await served().post("KeyService/CreateKey", { name: "k" });
    expect(answer.key).not.toHaveProperty("expiresAt");
  });
});

describe("with lives and scopes in the configuration", () => {
  const served = serveOnce({
    config: `key_lifetime: { default: 30d, max: 90d }
scopes:
  "orders:read": { description: Read orders }
  "orders:write": { description: Change orders, implies: ["orders:read"] }
  "admin:all": { description: Everything, implies: ["*"] }
`,
  });
  const create = (request: object) => served().post("KeyService/CreateKey", { name: "k", ...request });
  const life = (key: unknown) => {
    const { createdAt, expiresAt } = key as { createdAt: string; expiresAt: string };
    return Date.parse(expiresAt) - Date.parse(createdAt);
  };
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
  const TOO_LONG = "must end within 90d (key_lifetime.max)";

  test.each<[title: string, request: object, days: number]>([
    ["as long as the default where nothing is said", {}, 30],
    ["longer than the default where that is asked", { expiresIn: `${60 * 86_400}s` }, 60],
    ["exactly as long as is allowed", { expiresIn: `${90 * 86_400}s` }, 90],
  ])("a key lives %s", async (_, request, days) => {
    expect(life((await create(request)).answer.key)).toBe(days * DAY_MS);
  });

  test.each<[title: string, request: object, field: string]>([
    ["a second more than is allowed", { expiresIn: `${90 * 86_400 + 1}s` }, "expires_in"],
    ["a time beyond what is allowed", { expiresAt: inDays(91) }, "expires_at"],
    ["no end", { neverExpires: true }, "never_expires"],
  ])("%s is refused, with the bound", async (_, request, field) => {
    expect((await create(request)).refused).toMatchObject({ fields: [field], descriptions: [TOO_LONG] });
  });

  test("a key that the default would end before it begins is refused", async () => {
    const { refused } = await create({ notBefore: inDays(31) });
    expect(refused).toMatchObject({ code: "invalid_argument", fields: ["not_before"] });
    expect((await create({ notBefore: inDays(29) })).status).toBe(200);
    expect((await create({ notBefore: inDays(31), expiresIn: `${60 * 86_400}s` })).status).toBe(200);
  });

  test("an update goes no further than the bound either", async () => {
    const { key } = (await create({})).answer as { key: JsonObject };
    const update = (more: object) =>
      served().post("KeyService/UpdateKey", { key: key.id, updateMask: "expiresAt", ...more });
    const since = Date.parse(String(key.createdAt));
    const pastBound = (ms: number) => new Date(since + 90 * DAY_MS + ms).toISOString();
    // Counted from the creation, or one update after the other would let a key live for ever.
    expect((await update({ expiresAt: pastBound(1) })).refused).toMatchObject({
      fields: ["expires_at"],
      descriptions: [`${TOO_LONG}, counted from its creation`],
    });
    expect((await update({})).refused).toMatchObject({ fields: ["expires_at"], descriptions: [TOO_LONG] });
    expect((await update({ expiresAt: pastBound(0) })).status).toBe(200);
  });

  test("nor does the successor of a rotation, which is not given the default anew", async () => {
    const { key } = (await create({ expiresIn: "600s" })).answer as { key: JsonObject };
    const rotate = (more: object) => served().post("KeyService/RotateKey", { key: key.id, ...more });
    expect((await rotate({ neverExpires: true })).refused).toMatchObject({
      fields: ["never_expires"],
      descriptions: [TOO_LONG],
    });
    expect((await rotate({ expiresIn: `${91 * 86_400}s` })).refused).toMatchObject({ descriptions: [TOO_LONG] });
    const { answer } = await rotate({});
    expect(answer.key).toMatchObject({ expiresAt: key.expiresAt });
  });

  test.each<[scope: string]>([["orders:read"], ["orders:*"], ["*"], ["admin:all"], ["admin:*"]])(
    "the scope %s is known",
    async (scope) => {
      expect((await create({ scopes: [scope] })).status).toBe(200);
    },
  );

  test.each<[scope: string, hint: string]>([
    ["orders:reed", ' (did you mean "orders:read"?)'],
    ["orders:Read", ' (did you mean "orders:read"?)'],
    ["order:write", ' (did you mean "orders:write"?)'],
    ["something:else:entirely", ""],
    ["invoices:*", ""],
  ])("the scope %s is not, and the refusal names the near one", async (scope, hint) => {
    const { refused } = await create({ scopes: ["orders:read", scope] });
    expect(refused).toMatchObject({
      code: "invalid_argument",
      fields: ["scopes[1]"],
      descriptions: [`"${scope}" is not among the scopes of the configuration${hint}`],
    });
  });

  test("an update grants no unknown scope either", async () => {
    const { key } = (await create({ scopes: ["orders:read"] })).answer as { key: JsonObject };
    const update = (scopes: string[]) =>
      served().post("KeyService/UpdateKey", { key: key.id, updateMask: "scopes", scopes });
    expect((await update(["orders:reed"])).refused).toMatchObject({ fields: ["scopes[0]"] });
    expect((await update(["orders:write"])).status).toBe(200);
  });
});

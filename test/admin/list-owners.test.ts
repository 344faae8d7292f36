import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { KeyService } from "../../src/gen/keyward/admin/v1/key_service_pb.ts";
import { type Owner, OwnerService } from "../../src/gen/keyward/admin/v1/owner_service_pb.ts";
import { local } from "../store/support/keys.ts";
import { withStore } from "../support/direct-store.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();
const { listOwners } = OwnerService.method;

/** One more than the largest page, so that it shows. */
const COUNT = 1_001;
const MANY = Array.from({ length: COUNT }, (_, index) => `user/m${String(index).padStart(4, "0")}`);
/** In the order of the list. */
const FEW: readonly (readonly [tenant: string, owner: string])[] = [
  ["", "project/p"],
  ["", "user/a"],
  ["acme", "service/z"],
  ["acme", "user/a"],
  ["acme2", "user/a"],
];

beforeAll(() => {
  withStore(served().keyward, (store) => {
    const plain = { displayName: "", scopes: undefined, disabled: false };
    for (const [tenant, name] of FEW.toReversed()) {
      store.createOwner({ tenant: tenant || undefined, name, ...plain }, local, 1);
    }
    for (const name of MANY) store.createOwner({ tenant: "many", name, ...plain }, local, 1);
  });
});

const namesOf = (owners: readonly Owner[]) => owners.map(({ tenant, owner }) => [tenant, owner]);

describe("a list of owners", () => {
  test("is in the order of tenants and names, those without a tenant first", async () => {
    const { owners } = await served().local.call(listOwners, { pageSize: 5 });
    expect(namesOf(owners)).toEqual(FEW);
  });

  test.each([
    ["acme", 2, 4],
    ["acme2", 4, 5],
    ["acm", 0, 0],
  ])("of the tenant %s has its owners, and no others", async (tenant, from, to) => {
    const { owners, nextPageToken } = await served().local.call(listOwners, { tenant });
    expect([namesOf(owners), nextPageToken]).toEqual([FEW.slice(from, to), ""]);
  });

  test("shows each as GetOwner does", async () => {
    const { owners } = await served().local.call(listOwners, { tenant: "acme2" });
    const { owner } = await served().local.call(OwnerService.method.getOwner, { tenant: "acme2", owner: "user/a" });
    expect(owners).toEqual([owner]);
  });
});

describe("pages", () => {
  const tenant = "many";

  test.each([
    [0, 50],
    [1, 1],
    [1_000, 1_000],
    [1_001, 1_000],
    [2_147_483_647, 1_000],
  ])("a page_size of %i gives %i owners", async (pageSize, count) => {
    const { owners, nextPageToken } = await served().local.call(listOwners, { tenant, pageSize });
    expect(owners.map(({ owner }) => owner)).toEqual(MANY.slice(0, count));
    expect(nextPageToken).not.toBe("");
  });

  test.each([-1, -2_147_483_648])("a page_size of %i is refused by its field", async (pageSize) => {
    await expect(served().local.call(listOwners, { pageSize })).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["page_size"],
      descriptions: [`${pageSize} must be >= 0`],
    });
  });

  test("one page after another gives every owner once, across tenants", async () => {
    const found: Owner[] = [];
    let pageToken = "";
    do {
      // So that a page ends within a tenant, and one with it.
      const page = await served().local.call(listOwners, { pageSize: found.length < 10 ? 2 : 400, pageToken });
      found.push(...page.owners);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(namesOf(found)).toEqual([...FEW, ...MANY.map((name) => [tenant, name])]);
  });

  test("a page that ends with the last owner has no next one", async () => {
    const page = await served().local.call(listOwners, { tenant: "acme", pageSize: 2 });
    expect([page.owners.length, page.nextPageToken]).toEqual([2, ""]);
  });

  test("a page goes on where its last owner stood, though it has been deleted since", async () => {
    const { createOwner, deleteOwner } = OwnerService.method;
    for (const owner of ["user/a", "user/b", "user/c"]) {
      await served().local.call(createOwner, { tenant: "going", owner });
    }
    const { nextPageToken } = await served().local.call(listOwners, { tenant: "going", pageSize: 2 });
    await served().local.call(deleteOwner, { tenant: "going", owner: "user/b" });
    const { owners } = await served().local.call(listOwners, { tenant: "going", pageToken: nextPageToken });
    expect(namesOf(owners)).toEqual([["going", "user/c"]]);
  });

  test.each<[title: string, spoil: (token: string) => string, tenant: string]>([
    ["of another tenant", (token) => token, "man"],
    ["of one tenant, for all of them", (token) => token, ""],
    ["with its first character changed", (token) => (token.startsWith("A") ? "B" : "A") + token.slice(1), tenant],
    ["with its last character changed", (token) => token.slice(0, -1) + (token.endsWith("A") ? "Q" : "A"), tenant],
    ["cut by a character", (token) => token.slice(0, -1), tenant],
    ["with a character more", (token) => `${token}A`, tenant],
    ["made up", () => randomBytes(40).toString("base64url"), tenant],
    ["that names where to begin", () => `${tenant} ${MANY[1]}`, tenant],
  ])("a token %s is refused by its field", async (_, spoil, otherTenant) => {
    const { nextPageToken } = await served().local.call(listOwners, { tenant, pageSize: 2 });
    const request = { tenant: otherTenant, pageToken: spoil(nextPageToken) };
    await expect(served().local.call(listOwners, request)).rejects.toMatchObject({
      code: "invalid_argument",
      fields: ["page_token"],
      descriptions: ["is not of this list: take next_page_token of its last page"],
    });
    const good = { tenant, pageToken: nextPageToken, pageSize: 1 };
    await expect(served().local.call(listOwners, good)).resolves.toMatchObject({ owners: [{ owner: MANY[2] }] });
  });

  test("a token of a list of keys is none of a list of owners, and the other way round", async () => {
    const { createKey, listKeys } = KeyService.method;
    for (const name of ["first", "second"]) await served().local.call(createKey, { name });
    const keys = await served().local.call(listKeys, { pageSize: 1 });
    const owners = await served().local.call(listOwners, { pageSize: 1 });
    const refused = { code: "invalid_argument", fields: ["page_token"] };
    await expect(served().local.call(listOwners, { pageToken: keys.nextPageToken })).rejects.toMatchObject(refused);
    await expect(served().local.call(listKeys, { pageToken: owners.nextPageToken })).rejects.toMatchObject(refused);
    await expect(served().local.call(listKeys, { pageToken: keys.nextPageToken })).resolves.toBeDefined();
  });
});

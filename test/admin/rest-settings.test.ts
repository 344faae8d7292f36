import { describe, expect, test } from "vitest";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { sendHttp1 } from "./support/http.ts";
import { type Served, serveOnce } from "./support/served.ts";

async function create({ socket }: Served, body: object) {
  const { status, body: answer } = await sendHttp1(socket, {
    path: "/api/v1/tenant/acme/api-keys/create",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "x", ...body }),
  });
  return { status, ...JSON.parse(answer) };
}

describe("with rest.default_format: jwt and key_lifetime", () => {
  const served = serveOnce({
    env: SIGNING_ENV,
    config: `
rest: { default_format: jwt }
key_lifetime: { default: 7d, max: 90d }
tenants: { acme: { prefix: acme_live } }
`,
  });

  test("a key for which nothing is said is signed, and lives as long as the default says", async () => {
    const { status, format, created_at, expires_at } = await create(served(), {});
    expect([status, format]).toEqual([200, "jwt"]);
    // A token counts in whole seconds, and never lives longer than it may.
    expect(7 * 86_400 - (expires_at - created_at)).toBeOneOf([0, 1]);
  });

  test("a key for which opaque is said begins with the prefix of its tenant", async () => {
    expect(await create(served(), { format: "opaque" })).toMatchObject({
      format: "opaque",
      api_key: expect.stringMatching(/^acme_live_/),
    });
  });

  test.each([
    ["never", 0],
    ["a day more than the most", 91],
  ])("%s is refused under the name that the field has here", async (_, days) => {
    expect(await create(served(), { expires_in_days: days, format: "opaque" })).toEqual({
      status: 400,
      success: false,
      error: "invalid_argument",
      reason: "INVALID_ARGUMENT",
      message: "expires_in_days must end within 90d (key_lifetime.max)",
    });
    expect((await create(served(), { expires_in_days: 90, format: "opaque" })).status).toBe(200);
  });
});

describe("without an encryption key", () => {
  const served = serveOnce();

  test("a signed key is refused with a sentence, and an opaque one is made", async () => {
    const refused = await create(served(), { format: "jwt" });
    expect(refused).toMatchObject({ status: 400, success: false, error: "failed_precondition" });
    expect(refused.message).toContain("encryption_key_file");
    expect((await create(served(), { format: "opaque" })).status).toBe(200);
  });
});

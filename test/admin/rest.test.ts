import { describe, expect, test } from "vitest";
import { SIGNING_ENV } from "../support/encryption-keys.ts";
import { secretOf, tokenOf } from "../support/sample-keys.ts";
import { type HttpRequest, sendHttp1, sendHttp2 } from "./support/http.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce({ env: SIGNING_ENV });

const JSON_TYPE = { "content-type": "application/json" };
const ACME = "/api/v1/tenant/acme/api-keys";

type Send = (target: string, request: HttpRequest) => ReturnType<typeof sendHttp1>;

/** Sends a request over the local admin socket, and reads the answer as JSON. */
async function rest(
  path: string,
  request: Partial<HttpRequest> = {},
  send: Send = sendHttp1,
  target = served().socket,
) {
  const { status, headers, body } = await send(target, { path, ...request });
  return { status, headers, body: JSON.parse(body) };
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}) => rest(path, { method: "GET", headers });

const make = (body: object, tenant = "acme") =>
  rest(`/api/v1/tenant/${tenant}/api-keys/create`, { headers: JSON_TYPE, body: JSON.stringify(body) });

const nowSeconds = () => Math.floor(Date.now() / 1000);

const NOT_FOUND = {
  success: false,
  error: "not_found",
  reason: "KEY_NOT_FOUND",
  message: "no key answers to that name",
};

function invalid(message: string) {
  return { success: false, error: "invalid_argument", reason: "INVALID_ARGUMENT", message };
}

const DAYS = "expires_in_days must be whole days >= 0 and <= 36525, and 0 for never";

describe.each<[string, Send]>([
  ["HTTP/1.1", sendHttp1],
  ["h2c", sendHttp2],
])("over %s", (_, send) => {
  test("a key is created, listed without its secret, and revoked", async () => {
    const created = await rest(
      `/api/v1/tenant/life/api-keys/create`,
      { headers: JSON_TYPE, body: '{"name":"ci","scopes":["api:read"],"expires_in_days":30}' },
      send,
    );
    expect(created).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-store" },
    });
    const { api_key: secret, ...record } = created.body;
    expect(secret).toMatch(/^kw_[0-9A-Za-z]{49}$/);
    expect(record).toMatchObject({
      id: expect.stringMatching(/^key_[0-9A-Za-z]{20}$/),
      name: "ci",
      tenant: "life",
      owner: null,
      start: secret.slice(0, 11),
      scopes: ["api:read"],
      format: "opaque",
      state: "active",
      last_used_at: null,
      revoked_at: null,
    });
    expect(record.expires_at - record.created_at).toBe(30 * 86_400);
    expect(Math.abs(record.created_at - nowSeconds())).toBeLessThan(60);

    const list = await rest("/api/v1/tenant/life/api-keys/list", { method: "GET" }, send);
    expect(list.status).toBe(200);
    expect(list.body).toEqual({ api_keys: expect.arrayContaining([record]), next_page_token: null });
    expect(JSON.stringify(list.body)).not.toContain(secret);

    const revoked = await rest(`/api/v1/tenant/life/api-keys/${record.id}/revoke`, {}, send);
    const message = `the API key ${record.id} is revoked`;
    expect([revoked.status, revoked.body]).toEqual([200, { success: true, message }]);
    const after = await rest("/api/v1/tenant/life/api-keys/list", { method: "GET" }, send);
    const gone = after.body.api_keys.find(({ id }: { id: string }) => id === record.id);
    expect(gone).toMatchObject({ state: "revoked", revoked_at: expect.any(Number) });
  });

  test("a body that is too large is refused, and the connection's end is not waited for", async () => {
    const body = JSON.stringify({ name: "x".repeat(128 * 1024) });
    const { status, body: answer } = await rest(`${ACME}/create`, { headers: JSON_TYPE, body }, send);
    const message = "the body must have <= 131072 bytes";
    expect([status, answer]).toEqual([413, { success: false, error: "too_large", message }]);
  });
});

describe("what is left out of a create", () => {
  test.each<[string, object, object]>([
    ["days that are 0 mean never", { expires_in_days: 0 }, { expires_at: null }],
    ["days that are left out mean the default, never", {}, { expires_at: null }],
    [
      "null is as good as nothing",
      { scopes: null, expires_in_days: null, format: null },
      { scopes: [], format: "opaque" },
    ],
    ["a format is obeyed", { format: "jwt" }, { format: "jwt", api_key: expect.stringMatching(/^eyJraWQiOiJrd3Nr/) }],
    ["the other format is obeyed", { format: "opaque" }, { format: "opaque", api_key: expect.stringMatching(/^kw_/) }],
    ["the longest life is taken", { expires_in_days: 36_525 }, { expires_at: expect.any(Number) }],
  ])("%s", async (_, more, expected) => {
    const { status, body } = await make({ name: "x", ...more });
    expect(status).toBe(200);
    expect(body).toMatchObject(expected);
  });
});

describe("a create is refused, and makes nothing, with", () => {
  test.each<[string, string, string]>([
    ["no name", "{}", "name is required, as a text"],
    ["an empty name", '{"name":""}', "name is required"],
    ["a name that is a number", '{"name":5}', "name is required, as a text"],
    ["days below zero", '{"name":"x","expires_in_days":-1}', DAYS],
    ["a part of a day", '{"name":"x","expires_in_days":1.5}', DAYS],
    ["one day more than the most", '{"name":"x","expires_in_days":36526}', DAYS],
    ["a huge number of days", '{"name":"x","expires_in_days":1e308}', DAYS],
    ["more days than a number can say", '{"name":"x","expires_in_days":1e999}', DAYS],
    ["days below zero beyond that", '{"name":"x","expires_in_days":-1e999}', DAYS],
    ["days in a text", '{"name":"x","expires_in_days":"30"}', DAYS],
    ["days that are true", '{"name":"x","expires_in_days":true}', DAYS],
    ["scopes that are a text", '{"name":"x","scopes":"a b"}', "scopes must be a list of texts"],
    ["a scope that is a number", '{"name":"x","scopes":["a",5]}', "scopes[1] must be a text"],
    [
      "a scope with a space",
      '{"name":"x","scopes":["a b"]}',
      'scopes[0] "a b" must be 1 to 128 visible ASCII characters without " \\ and ",", with "*" only as the whole last segment',
    ],
    ["another format", '{"name":"x","format":"JWT"}', "format must be opaque or jwt"],
    ["a mistyped field", '{"name":"x","expires_in_day":30}', '"expires_in_day" is not known here'],
    ["two mistakes", '{"name":5,"format":1}', "name is required, as a text; format must be opaque or jwt"],
    ["a list", "[]", "the body must be a JSON object"],
    ["null", "null", "the body must be a JSON object"],
    ["a prototype", '{"name":"x","__proto__":{}}', '"__proto__" is not known here'],
    ["no body", "", "the body must be a JSON object"],
    [
      "a whole key as its name",
      JSON.stringify({ name: secretOf("pasted") }),
      "name holds a whole key, which would be stored in the clear",
    ],
    ["a whole key as a field", JSON.stringify({ name: "x", [secretOf("pasted")]: 1 }), "a field is not known here"],
  ])("%s", async (_, body, message) => {
    const before = (await get("/api/v1/tenant/refusing/api-keys/list")).body;
    const refused = await rest("/api/v1/tenant/refusing/api-keys/create", { headers: JSON_TYPE, body });
    expect([refused.status, refused.body]).toEqual([400, invalid(message)]);
    expect((await get("/api/v1/tenant/refusing/api-keys/list")).body).toEqual(before);
    expect(before).toEqual({ api_keys: [], next_page_token: null });
  });

  test.each<[string, string | Uint8Array]>([
    ["text", "name=ci"],
    ["half an object", '{"name":"ci"'],
    ["two objects", "{}{}"],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["a comment", "{/**/}"],
  ])("%s, which is not JSON", async (_, body) => {
    const { status, body: answer } = await rest(`${ACME}/create`, { headers: JSON_TYPE, body });
    expect([status, answer]).toEqual([
      400,
      { success: false, error: "invalid_argument", message: "the body is not JSON" },
    ]);
  });

  test.each<[string, Readonly<Record<string, string>>, number]>([
    ["no content type", {}, 415],
    ["that of a form", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["one that begins like JSON's", { "content-type": "application/jsonx" }, 415],
    ["a content encoding", { ...JSON_TYPE, "content-encoding": "gzip" }, 415],
    ["JSON's, in capitals and with a charset", { "content-type": "Application/JSON; charset=utf-8" }, 200],
  ])("%s, where it is not JSON's", async (_, headers, expected) => {
    expect((await rest(`${ACME}/create`, { headers, body: '{"name":"x"}' })).status).toBe(expected);
  });
});

describe("a path", () => {
  const NOTHING = "there is nothing here; try /api/v1/tenant/{tenant}/api-keys/list";
  test.each<[string, string, number, string]>([
    ["GET", "/api/v1", 404, NOTHING],
    ["GET", "/api/v1/tenant/acme/api-keys", 404, NOTHING],
    ["GET", "/api/v1/tenant/acme/api-keys/", 404, NOTHING],
    ["GET", "/api/v1/tenant/acme/api-keys/list/", 404, NOTHING],
    ["GET", "/api/v1/tenant//api-keys/list", 404, NOTHING],
    ["GET", "/api/v1/tenant/acme/x/api-keys/list", 404, NOTHING],
    ["GET", "/api/v1/tenants/acme/api-keys/list", 404, NOTHING],
    ["POST", "/api/v1/tenant/acme/api-keys/revoke", 404, NOTHING],
    ["POST", "/api/v1/tenant/acme/api-keys//revoke", 404, NOTHING],
    ["POST", "/api/v1/tenant/acme/api-keys/list", 405, "this takes GET or HEAD only"],
    ["GET", "/api/v1/tenant/acme/api-keys/create", 405, "this takes POST only"],
    ["DELETE", "/api/v1/tenant/acme/api-keys/key_1/revoke", 405, "this takes POST only"],
    ["GET", "/api/v1/tenant/Acme/api-keys/list", 400, "the tenant in the path is none"],
    ["GET", "/api/v1/tenant/%61cme/api-keys/list", 400, "the tenant in the path is none"],
    ["GET", `/api/v1/tenant/${"a".repeat(64)}/api-keys/list`, 400, "the tenant in the path is none"],
  ])("%s %s is answered with %i", async (method, path, status, message) => {
    const answer = await rest(path, { method });
    expect([answer.status, answer.body.message, answer.body.success]).toEqual([status, message, false]);
  });

  test.each([
    ["list", "GET, HEAD"],
    ["create", "POST"],
    ["key_1/revoke", "POST"],
  ])("of %s tells the methods that it has", async (action, allow) => {
    expect(await rest(`${ACME}/${action}`, { method: "PATCH" })).toMatchObject({ status: 405, headers: { allow } });
  });

  test("of a list answers HEAD with the headers of GET", async () => {
    const [head, whole] = await Promise.all([
      sendHttp1(served().socket, { path: `${ACME}/list`, method: "HEAD" }),
      sendHttp1(served().socket, { path: `${ACME}/list`, method: "GET" }),
    ]);
    const { date: _, ...headers } = whole.headers;
    expect(head).toMatchObject({ status: 200, headers, body: "" });
  });

  test("beside the façade is not its own", async () => {
    expect(await sendHttp1(served().socket, { path: "/api/v10/x", method: "GET" })).toMatchObject({
      status: 404,
      body: "",
    });
  });
});

describe("a revoke", () => {
  test.each<[string, string | undefined, string]>([
    ["without a body", undefined, ""],
    ["with an empty object", "{}", ""],
    ["with a reason", '{"reason":"left the company"}', "left the company"],
  ])("%s keeps the reason, and is answered alike a second time", async (_, body, reason) => {
    const { id } = (await make({ name: "x" })).body;
    const request = body === undefined ? {} : { headers: JSON_TYPE, body };
    const first = await rest(`${ACME}/${id}/revoke`, request);
    expect([first.status, first.body.success]).toEqual([200, true]);
    expect((await rest(`${ACME}/${id}/revoke`)).body).toEqual(first.body);
    const { answer } = await served().post("KeyService/GetKey", { key: id });
    expect(answer).toMatchObject({ key: { state: "KEY_STATE_REVOKED", ...(reason && { revokeReason: reason }) } });
  });

  test("takes the start of a key, but no whole key, which would stand in logs", async () => {
    const { start, api_key: secret } = (await make({ name: "x" })).body;
    const whole = await rest(`${ACME}/${secret}/revoke`);
    expect([whole.status, whole.body]).toEqual([400, invalid("the id is a whole key, and URLs are logged")]);
    expect((await rest(`${ACME}/${tokenOf("x")}/revoke`)).status).toBe(400);
    expect((await rest(`${ACME}/${start}/revoke`)).status).toBe(200);
  });

  test.each(["id", "start"] as const)("of another tenant's key, by its %s, finds none and ends none", async (name) => {
    const other = (await make({ name: "x" }, "globex")).body;
    const refused = await rest(`${ACME}/${other[name]}/revoke`);
    expect([refused.status, refused.body]).toEqual([404, NOT_FOUND]);
    const { answer } = await served().post("KeyService/GetKey", { key: other.id });
    expect(answer).toMatchObject({ key: { state: "KEY_STATE_ACTIVE" } });
    expect((await rest(`/api/v1/tenant/globex/api-keys/${other[name]}/revoke`)).status).toBe(200);
  });

  test("of a key without tenant finds none", async () => {
    const { answer } = await served().post("KeyService/CreateKey", { name: "x" });
    const { id } = answer.key as { id: string };
    expect((await rest(`${ACME}/${id}/revoke`)).body).toEqual(NOT_FOUND);
  });

  test("with a field that is not known is refused", async () => {
    const { id } = (await make({ name: "x" })).body;
    const refused = await rest(`${ACME}/${id}/revoke`, { headers: JSON_TYPE, body: '{"because":"x"}' });
    expect([refused.status, refused.body]).toEqual([400, invalid('"because" is not known here')]);
  });
});

describe("a list", () => {
  test("is told a page at a time where that is asked for", async () => {
    const made = await Promise.all([1, 2, 3].map((count) => make({ name: `k${count}` }, "paged")));
    const path = "/api/v1/tenant/paged/api-keys/list";
    const first = (await get(`${path}?page_size=2`)).body;
    const second = (await get(`${path}?page_size=2&page_token=${first.next_page_token}`)).body;
    expect([first.api_keys.length, second.api_keys.length, second.next_page_token]).toEqual([2, 1, null]);
    const ids = [...first.api_keys, ...second.api_keys].map(({ id }) => id);
    expect(ids.toSorted()).toEqual(made.map(({ body }) => body.id).toSorted());
  });

  test.each<[string, string]>([
    ["page_size=0", "page_size must be >= 1 and <= 1000"],
    ["page_size=1001", "page_size must be >= 1 and <= 1000"],
    ["page_size=-1", "page_size must be >= 1 and <= 1000"],
    ["page_size=1.5", "page_size must be >= 1 and <= 1000"],
    ["page_size=", "page_size must be >= 1 and <= 1000"],
    ["page_size=1&page_size=1", "page_size stands there more than once"],
    ["page=2", "the query can hold page_size and page_token, and nothing else"],
    ["page_token=x", "page_token is not of this list: take next_page_token of its last page"],
  ])("with ?%s is refused", async (query, message) => {
    const refused = await get(`${ACME}/list?${query}`);
    expect([refused.status, refused.body]).toEqual([400, invalid(message)]);
  });
});

describe("over the network", () => {
  const over = (path: string, adminKey: string | undefined, request: Partial<HttpRequest> = {}) => {
    const headers = { ...JSON_TYPE, ...(adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` }) };
    return rest(path, { headers, ...request }, sendHttp1, served().keyward.admin);
  };
  const boundKey = async (tenant: string) => {
    const { answer } = await served().post("AdminKeyService/CreateAdminKey", { name: "bound", tenant });
    return String(answer.secret);
  };
  const body = '{"name":"x"}';

  test.each<[string, Partial<HttpRequest>]>([
    ["create", { body }],
    ["create", { body: "not JSON" }],
    ["list", { method: "GET" }],
    ["key_1/revoke", {}],
  ])("%s asks for an admin key before it looks at anything else", async (action, request) => {
    const refused = await over(`${ACME}/${action}`, undefined, request);
    expect(refused).toMatchObject({
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="keyward"' },
      body: { error: "unauthenticated", message: "an admin key is needed: Authorization: Bearer kwadm_…" },
    });
    const dataKey = (await make({ name: "x" })).body.api_key;
    const other = await over(`${ACME}/${action}`, dataKey, request);
    expect([other.status, other.body.message]).toEqual([401, "the admin key is not valid"]);
  });

  test.each<[string, string, string, Partial<HttpRequest>, number]>([
    ["create", "keys:write", "keys:read", { body }, 200],
    ["list", "keys:read", "keys:write", { method: "GET" }, 200],
    ["key_1/revoke", "keys:write", "keys:read", {}, 404],
  ])("%s needs the admin scope %s, and %s is not enough", async (action, needed, other, request, status) => {
    const refused = await over(`${ACME}/${action}`, await served().adminKey(other), request);
    const message = `this needs the admin scope ${needed}; you have ${other}`;
    const expected = { success: false, error: "permission_denied", reason: "MISSING_SCOPE", message };
    expect([refused.status, refused.body]).toEqual([403, expected]);
    expect((await over(`${ACME}/${action}`, await served().adminKey(needed), request)).status).toBe(status);
  });

  test.each<[string, Partial<HttpRequest>]>([
    ["create", { body }],
    ["list", { method: "GET" }],
    ["ID/revoke", {}],
  ])(
    "%s of another tenant is closed to an admin key that is bound to one, and its own is open",
    async (action, request) => {
      const { id } = (await make({ name: "x" }, "globex")).body;
      const [own, foreign] = [await boundKey("globex"), await boundKey("acme")];
      const path = `/api/v1/tenant/globex/api-keys/${action.replace("ID", id)}`;
      const refused = await over(path, foreign, request);
      const message = "this admin key is bound to the tenant acme and sees no other";
      const expected = { success: false, error: "permission_denied", reason: "OTHER_TENANT", message };
      expect([refused.status, refused.body]).toEqual([403, expected]);
      expect((await over(path, own, request)).status).toBe(200);
    },
  );

  test("a bound admin key ends no key of another tenant under its own path", async () => {
    const { id } = (await make({ name: "x" }, "globex")).body;
    const refused = await over(`${ACME}/${id}/revoke`, await boundKey("acme"));
    expect([refused.status, refused.body]).toEqual([404, NOT_FOUND]);
  });

  test("a bound admin key grants no scope that its tenant may not grant", async () => {
    const refused = await over(`${ACME}/create`, await boundKey("acme"), { body: '{"name":"x","scopes":["a"]}' });
    expect([refused.status, refused.body.reason]).toEqual([403, "BEYOND_GRANTABLE"]);
  });

  test("the change is told as the admin key's", async () => {
    const { answer } = await served().post("AdminKeyService/CreateAdminKey", { name: "teller" });
    const { id } = (await over(`${ACME}/create`, String(answer.secret), { body })).body;
    const { answer: shown } = await served().post("KeyService/GetKey", { key: id });
    expect(shown).toMatchObject({ key: { createdBy: (answer.key as { id: string }).id, tenant: "acme" } });
  });
});

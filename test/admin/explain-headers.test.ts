import { describe, expect, test } from "vitest";
import { serveOnce } from "./support/served.ts";

const FORWARDED = "203.0.113.7, 10.0.0.1";

/** What is said of a key that opens from 203.0.113.7 only. */
async function explained(served: ReturnType<typeof serveOnce>, question: object) {
  const { answer } = await served().post("KeyService/CreateKey", { name: "k", cidrs: ["203.0.113.7"] });
  const { id } = answer.key as { id: string };
  const { answer: said } = await served().post("KeyService/ExplainCheck", {
    key: id,
    method: "GET",
    path: "/",
    ...question,
  });
  return [said.reason, said.notes ?? []];
}

describe("behind one proxy, the client's address is", () => {
  const served = serveOnce({ config: "client_address: { trusted_hops: 1 }" });

  test.each<[string, object, string]>([
    ["that in front of Envoy's own entry", { headers: { "x-forwarded-for": FORWARDED } }, "allowed"],
    [
      "not the one that Envoy appends",
      { headers: { "x-forwarded-for": "10.0.0.1, 203.0.113.7" } },
      "address_not_allowed",
    ],
    ["unknown with fewer entries", { headers: { "x-forwarded-for": "203.0.113.7" } }, "address_not_allowed"],
    [
      "that of the header, and not ip",
      { ip: "203.0.113.7", headers: { "x-forwarded-for": "a, b" } },
      "address_not_allowed",
    ],
    ["ip without the header", { ip: "203.0.113.7" }, "allowed"],
  ])("%s", async (_, question, reason) => {
    expect(await explained(served, question)).toEqual([reason, []]);
  });

  test("another header does not count, and is told", async () => {
    const question = { ip: "203.0.113.7", headers: { "x-real-ip": "10.0.0.1" } };
    expect(await explained(served, question)).toEqual(["allowed", ["the header x-real-ip does not count"]]);
  });

  test("a key in a header is refused, and too many headers are", async () => {
    const { answer } = await served().post("KeyService/CreateKey", { name: "k" });
    const ask = (headers: object) => served().post("KeyService/ExplainCheck", { method: "GET", path: "/", headers });
    expect((await ask({ authorization: `Bearer ${answer.secret}` })).refused).toMatchObject({ fields: ["headers"] });
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "a"]));
    expect((await ask(many(21))).refused).toMatchObject({ fields: ["headers"] });
    expect((await ask(many(20))).status).toBe(200);
  });
});

describe("without a proxy", () => {
  const served = serveOnce();

  test("x-forwarded-for does not count, and why is told", async () => {
    const note = "the header x-forwarded-for does not count, since client_address.trusted_hops is 0";
    const headers = { "x-forwarded-for": FORWARDED };
    expect(await explained(served, { ip: "203.0.113.7", headers })).toEqual(["allowed", [note]]);
    expect(await explained(served, { ip: "203.0.113.8", headers })).toEqual(["address_not_allowed", [note]]);
  });
});

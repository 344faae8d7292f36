import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { certificateNames, nameMeant } from "../../src/admin/login/certificate-names.ts";
import { type CertificateFields, selfSigned } from "../support/certificates.ts";

function namesIn(fields: CertificateFields): string[] {
  return certificateNames(new X509Certificate(selfSigned(fields).cert)).map(({ kind, value }) => `${kind} ${value}`);
}

describe("the names of a certificate", () => {
  test.each<[title: string, fields: CertificateFields, names: string[]]>([
    [
      "are its alternative names and its common name",
      {
        names: ["ops"],
        alternatives: ["uri:spiffe://example.org/ops", "dns:ops.example.org", "email:ops@example.org"],
      },
      ["uri spiffe://example.org/ops", "dns ops.example.org", "email ops@example.org", "cn ops"],
    ],
    ["have no addresses", { names: [], alternatives: ["ip:127.0.0.1", "dns:a"] }, ["dns a"]],
    ["have no common name where there are two", { names: ["a", "b"], alternatives: [] }, []],
    ["may be none", { names: [], alternatives: [] }, []],
    ["are not taken out of another name", { names: [], alternatives: ["dns:a, URI:spiffe://example.org/ops"] }, []],
    [
      "are not taken out of a name with quotes",
      { names: [], alternatives: ['dns:a", URI:spiffe://example.org/ops, DNS:"b', "dns:c"] },
      ["dns c"],
    ],
    ["are not taken out of a common name with lines", { names: ["a\nCN=ops"], alternatives: [] }, ["cn a\\0ACN=ops"]],
  ])("%s", (_, fields, names) => {
    expect(namesIn(fields)).toEqual(names);
  });
});

test.each([
  ["spiffe://example.org/ops", "uri", "spiffe://example.org/ops"],
  ["https://ops.example.org/", "uri", "https://ops.example.org/"],
  ["dns:ops", "dns", "ops"],
  ["dns://ops", "uri", "dns://ops"],
  ["email:a@b", "email", "a@b"],
  ["cn:dns:ops", "cn", "dns:ops"],
])("%s means the name of kind %s", (text, kind, value) => {
  expect(nameMeant(text)).toEqual({ kind, value });
});

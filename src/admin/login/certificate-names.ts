import type { X509Certificate } from "node:crypto";

/** A name in a certificate, and what kind of name it is: two kinds never stand for the same caller. */
export interface CertificateName {
  readonly kind: "uri" | "dns" | "email" | "cn";
  readonly value: string;
}

/** As Node writes alternative names, of which those that could be read in two ways are in quotes (CVE-2021-44532). */
const ALTERNATIVE = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/y;

const KINDS: Readonly<Record<string, CertificateName["kind"]>> = { URI: "uri", DNS: "dns", email: "email" };

/**
 * All names of a certificate: its alternative names, and the common name of its subject if it has just one. Names that
 * cannot be told for sure are none.
 */
export function certificateNames(certificate: Pick<X509Certificate, "subject" | "subjectAltName">): CertificateName[] {
  const commonNames = certificate.subject?.split("\n").filter((line) => line.startsWith("CN=")) ?? [];
  const [only] = commonNames;
  const cn: CertificateName[] =
    only === undefined || commonNames.length > 1 ? [] : [{ kind: "cn", value: only.slice("CN=".length) }];
  return [...alternativeNames(certificate.subjectAltName ?? ""), ...cn];
}

/** The name that the configuration means: `dns:`, `email:` or `cn:` and a name, or else a URI. */
export function nameMeant(text: string): CertificateName {
  const [, kind, value] = /^(dns|email|cn):(?!\/\/)(.*)$/s.exec(text) ?? [];
  if (kind === undefined || value === undefined) return { kind: "uri", value: text };
  return { kind: kind as CertificateName["kind"], value };
}

function alternativeNames(text: string): CertificateName[] {
  const names: CertificateName[] = [];
  let end = 0;
  for (const match of text.matchAll(new RegExp(ALTERNATIVE, "gy"))) {
    const [whole, type = "", value = ""] = match;
    end = match.index + whole.length;
    const kind = KINDS[type];
    // What had to be quoted is no name that anybody would configure.
    if (kind !== undefined && !value.startsWith('"')) names.push({ kind, value });
  }
  return end === text.length ? names : [];
}

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate with its key, both in PEM. */
export interface Issued {
  cert: string;
  key: string;
  /** Makes a certificate that this one has signed. */
  issue(fields?: CertificateFields): Issued;
}

/** What is said in a certificate. Left out: one for `localhost` and 127.0.0.1, for servers and clients, valid for a day. */
export interface CertificateFields {
  /** The common names of the subject. */
  names?: readonly string[];
  /** The alternative names: `dns:localhost`, `ip:127.0.0.1`, `uri:spiffe://…`, `email:a@b`. */
  alternatives?: readonly string[];
  usages?: readonly ("server" | "client")[];
  /** Begins and ends so many milliseconds from now. */
  validFromMs?: number;
  validForMs?: number;
  /** May sign others. */
  authority?: boolean;
}

const DAY_MS = 86_400_000;

/** Makes a certificate that signs itself, such as that of an authority. */
export function selfSigned(fields: CertificateFields = {}): Issued {
  return issued(fields, undefined);
}

/** Makes an authority. */
export function createAuthority(name = "an authority", fields: CertificateFields = {}): Issued {
  return selfSigned({ names: [name], alternatives: [], authority: true, ...fields });
}

interface Issuer {
  name: Buffer;
  key: KeyObject;
}

function issued(fields: CertificateFields, issuer: Issuer | undefined): Issued {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = nameOf(fields.names ?? ["a test"]);
  const tbs = certificateInfo(fields, name, issuer?.name ?? name, key);
  const signature = sign("sha256", tbs, issuer?.key ?? key);
  const der = sequence(tbs, ECDSA_WITH_SHA256, bitString(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    issue: (more = {}) => issued(more, { name, key }),
  };
}

/** `TBSCertificate` of RFC 5280 §4.1. */
function certificateInfo(fields: CertificateFields, subject: Buffer, issuer: Buffer, key: KeyObject): Buffer {
  const { alternatives = ["dns:localhost", "ip:127.0.0.1"], usages = ["server", "client"] } = fields;
  const startMs = Date.now() + (fields.validFromMs ?? -DAY_MS);
  const endMs = Date.now() + (fields.validForMs ?? DAY_MS);
  const extensions = [
    extension("551d13", sequence(...(fields.authority ? [tagged(0x01, Buffer.from([0xff]))] : []))),
    ...(fields.authority ? [] : [extension("551d25", sequence(...usages.map((usage) => identifier(USAGES[usage]))))]),
    ...(alternatives.length === 0 ? [] : [extension("551d11", sequence(...alternatives.map(alternativeName)))]),
  ];
  return sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(time(startMs), time(endMs)),
    subject,
    createPublicKey(key).export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
}

const USAGES = { server: "2b06010505070301", client: "2b06010505070302" };

function nameOf(commonNames: readonly string[]): Buffer {
  const parts = commonNames.map((name) => sequence(identifier("550403"), tagged(0x0c, Buffer.from(name))));
  return sequence(...parts.map((part) => tagged(0x31, part)));
}

/** The context-specific tags of `GeneralName`. */
const ALTERNATIVES: Readonly<Record<string, number>> = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };

function alternativeName(text: string): Buffer {
  const kind = text.slice(0, text.indexOf(":"));
  const value = text.slice(kind.length + 1);
  return tagged(
    ALTERNATIVES[kind] ?? 0,
    kind === "ip" ? Buffer.from(value.split(".").map(Number)) : Buffer.from(value),
  );
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), tagged(0x04, value));
}

function time(ms: number): Buffer {
  return tagged(0x18, Buffer.from(new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}

function identifier(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** A value in DER: its tag, its length, itself. */
function tagged(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

const ECDSA_WITH_SHA256 = sequence(identifier("2a8648ce3d040302"));

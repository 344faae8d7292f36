import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { readTextFile } from "./text-file.ts";

/** The files with which a listener speaks TLS, all in PEM. */
export interface TlsFiles {
  /** The certificate first, then those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
  /** The authorities of the clients' certificates; undefined: clients need none. */
  readonly clientCa: string | undefined;
}

/** What these files hold. The key is a secret: this goes to the thread that listens, and nowhere else. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
  /** When the certificate begins and ends, in milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What is wrong with one of the files, as a phrase that follows its name. */
export interface TlsFileProblem {
  readonly file: keyof TlsFiles;
  readonly problem: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** PKCS #8 says it in its label (RFC 5958), and the older form in a header (RFC 1421 §4.6.1.1). */
const LOCKED_KEY = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/;

/**
 * Reads the files of a listener, and judges whether they can be served: there is a certificate, the key is the one of that
 * certificate, and the authorities are certificates. Paths start from `cwd`. An end that has come is no problem here: `validToMs` tells it.
 */
export function readTlsFiles(
  files: TlsFiles,
  cwd = process.cwd(),
): { readonly value: TlsMaterial } | { readonly problems: TlsFileProblem[] } {
  const problems: TlsFileProblem[] = [];
  const read = <T>(file: keyof TlsFiles, path: string, parse: (text: string) => T): [string, T?] => {
    const reading = readTextFile(resolve(cwd, path));
    try {
      if ("value" in reading) return [reading.value, parse(reading.value)];
      problems.push({ file, problem: reading.problem });
    } catch (error) {
      problems.push({ file, problem: (error as Error).message });
    }
    return [""];
  };
  const [cert, certificate] = read("cert", files.cert, firstCertificate);
  const [key, privateKey] = read("key", files.key, readPrivateKey);
  const [clientCa] = files.clientCa === undefined ? [] : read("clientCa", files.clientCa, firstCertificate);
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey)) {
    problems.push({ file: "key", problem: `is not the key of ${files.cert}` });
  }
  if (certificate === undefined || problems.length > 0) return { problems };
  const refusal = refusalOf({ cert, key, ...(clientCa !== undefined && { ca: clientCa }) });
  if (refusal !== undefined) return { problems: [{ file: "cert", problem: refusal }] };
  const { validFromDate, validToDate } = certificate;
  return { value: { cert, key, clientCa, validFromMs: validFromDate.getTime(), validToMs: validToDate.getTime() } };
}

/** Throws where any certificate of a file cannot be read. */
function firstCertificate(pem: string): X509Certificate {
  const certificates = pem.match(CERTIFICATE)?.map(readCertificate) ?? [];
  const [first] = certificates;
  if (first === undefined) throw new Error("holds no certificate (PEM)");
  return first;
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error("holds a certificate that cannot be read", { cause });
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new Error(LOCKED_KEY.test(pem) ? "has a passphrase, which nobody could type" : "holds no private key (PEM)", {
      cause,
    });
  }
}

/** OpenSSL has bounds of its own, such as for the length of keys. */
function refusalOf(material: {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}): string | undefined {
  try {
    createSecureContext(material);
    return undefined;
  } catch (error) {
    return `cannot be used: ${(error as Error).message}`;
  }
}

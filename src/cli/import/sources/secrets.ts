import { z } from "zod";
import { type Draft, EntryProblem, fromSecret } from "../draft.ts";
import { parsed, type Source } from "../source.ts";
import { metadataOf, text } from "../values.ts";

/** A Secret of Kubernetes, as `kubectl get secrets -o yaml` (or json) and manifests write it. */
const SECRET = z.object({
  kind: text,
  type: text,
  metadata: z.object({ name: text, namespace: text, labels: z.record(z.string(), z.string()).nullish() }).nullish(),
  data: z.record(z.string(), z.string()).nullish(),
  stringData: z.record(z.string(), z.string()).nullish(),
});

type Secret = z.output<typeof SECRET>;

/** Base64 of RFC 4648 §4, as the API server writes it. */
const BASE64 = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/;

/** What Authorino looks for the key under, and by what it knows its Secrets. */
const AUTHORINO_ENTRY = "api_key";
const AUTHORINO_LABEL = "authorino.kuadrant.io/managed-by";

/**
 * `--from envoy`: Secrets to which `apiKeyAuth.credentialRefs` of a SecurityPolicy of Envoy Gateway refers. Each entry is the
 * key of the client whose id is its name.
 */
export const envoyGateway: Source = secretsOf(
  "the Secrets to which apiKeyAuth refers, and no others, as YAML or JSON of kubectl",
  (secret) =>
    entriesOf(secret).map(([client, key]) => {
      return { client, key, metadata: metadataOf("envoy.", { secret: nameOf(secret) }).metadata, lost: [] };
    }),
);

/** `--from authorino`: Secrets with the label of Authorino, whose entry `api_key` is the key. Others are passed over. */
export const authorino: Source = secretsOf(
  `the Secrets with the entry ${AUTHORINO_ENTRY} and the label ${AUTHORINO_LABEL}, as YAML or JSON of kubectl`,
  (secret) => {
    const { [AUTHORINO_LABEL]: managed, ...labels } = secret.metadata?.labels ?? {};
    if (managed === undefined) return [];
    const key = new Map(entriesOf(secret)).get(AUTHORINO_ENTRY);
    if (key === undefined) return [];
    const { metadata, lost } = metadataOf("", labels);
    const origin = metadataOf("authorino.", { secret: nameOf(secret) }).metadata;
    return [{ client: secret.metadata?.name ?? "", key, metadata: { ...metadata, ...origin }, lost }];
  },
);

/** A key in a Secret. */
interface Found {
  readonly client: string;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly lost: readonly string[];
}

function secretsOf(reads: string, find: (secret: Secret) => readonly Found[]): Source {
  return {
    reads,
    forms: ["json", "yaml"],
    lists: ["items"],
    createReader: () => ({
      read({ line, value }) {
        // The end of a file that closes with "---".
        if (value === null || value === "") return [];
        const secret = parsed(SECRET, value);
        if (secret.kind !== "Secret") throw new EntryProblem("is no Secret");
        // Certificates and tokens of Kubernetes itself have types of their own.
        if (secret.type !== undefined && secret.type !== "Opaque")
          throw new EntryProblem("is a Secret of another type than Opaque");
        return find(secret).map(({ client, key, metadata, lost }): Draft => {
          return { line, ...fromSecret(key), name: client, owner: { id: client, type: "service" }, metadata, lost };
        });
      },
    }),
  };
}

/** What a Secret holds, as text. `stringData` wins, as it does where a manifest is applied. */
function entriesOf({ data, stringData }: Secret): [string, string][] {
  const decoded = Object.entries(data ?? {}).map(([name, value]): [string, string] => {
    const written = value.replaceAll(/\s/g, "");
    if (!BASE64.test(written)) throw new EntryProblem(`data.${name} is no base64`);
    return [name, Buffer.from(written, "base64").toString("latin1")];
  });
  return [...new Map([...decoded, ...Object.entries(stringData ?? {})])];
}

function nameOf({ metadata }: Secret): string {
  return [metadata?.namespace, metadata?.name].filter((part) => part !== undefined).join("/");
}

import { z } from "zod";
import { type Draft, EntryProblem, fromSecret } from "../draft.ts";
import { parsed, type Source } from "../source.ts";
import { metadataOf, text } from "../values.ts";

const PLUGINS = z.looseObject({ "key-auth": z.object({ key: text }).nullish() }).nullish();

const CONSUMER = z.object({
  username: text,
  id: text,
  name: text,
  desc: text,
  labels: z.record(z.string(), z.unknown()).nullish(),
  group_id: text,
  plugins: PLUGINS,
  /** As ADC, the tool of APISIX, writes them below their consumer. */
  credentials: z
    .array(z.object({ name: text, id: text, type: text, config: z.object({ key: text }).nullish(), plugins: PLUGINS }))
    .nullish(),
});

/** An entry of the lists of the Admin API: the path in etcd, and what stands there. */
const NODE = z.object({ key: text, value: z.unknown() });

/** `/apisix/consumers/jack/credentials/one` */
const CREDENTIAL_PATH = /\/consumers\/([^/]+)\/credentials\/([^/]+)$/;

/**
 * Consumers and credentials of APISIX with the key-auth plugin, in the clear: as the Admin API lists them, or as its
 * standalone configuration and ADC write them. Consumers without key-auth are passed over.
 */
export const apisix: Source = {
  reads: "consumers and credentials as the Admin API lists them (JSON), or those of a configuration file (YAML)",
  forms: ["json", "yaml"],
  lists: ["list", "consumers"],
  createReader: () => ({
    read({ line, list, value }) {
      if (list !== "list" && !isNode(value)) return draftsOf(line, parsed(CONSUMER, value), undefined);
      const node = parsed(NODE, value);
      const consumer = CREDENTIAL_PATH.exec(node.key ?? "")?.[1];
      return draftsOf(line, parsed(CONSUMER, node.value), consumer);
    },
  }),
};

function isNode(value: unknown): boolean {
  return typeof value === "object" && value !== null && "key" in value && "value" in value;
}

function draftsOf(line: number, record: z.output<typeof CONSUMER>, consumer: string | undefined): Draft[] {
  const { username, id, desc, labels, group_id: group, plugins, credentials } = record;
  const owner = consumer ?? username ?? id;
  const found = [
    { credential: consumer === undefined ? undefined : (id ?? record.name), auth: plugins?.["key-auth"] },
    ...(credentials ?? []).map(({ name, id: ownId, type, config, plugins: own }) => {
      return { credential: name ?? ownId, auth: type === "key-auth" ? config : own?.["key-auth"] };
    }),
  ];
  return found.flatMap(({ credential, auth }) => {
    if (auth === undefined || auth === null) return [];
    if (auth.key === undefined) throw new EntryProblem("key-auth has no key");
    const { metadata, lost } = metadataOf("", labels);
    const limits = [...limitsOf(plugins), ...(group === undefined ? [] : [`the consumer group ${group}`])];
    return {
      line,
      ...fromSecret(auth.key),
      name: [owner, credential].filter((part) => part !== undefined).join("/") || undefined,
      owner: owner === undefined ? undefined : { id: owner, type: "service" },
      note: desc,
      metadata,
      lost: [...lost, ...limits],
    };
  });
}

/** Plugins that belong to the consumer, and limit or change what its key does. */
function limitsOf(plugins: z.output<typeof PLUGINS>): string[] {
  const others = Object.keys(plugins ?? {}).filter((name) => !name.endsWith("-auth"));
  return others.length === 0 ? [] : [`plugins of its own (${others.join(", ")})`];
}

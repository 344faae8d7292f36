import { z } from "zod";
import { type Draft, EntryProblem, fromSecret } from "../draft.ts";
import { parsed, type Source } from "../source.ts";
import { metadataOf, text, time, whole } from "../values.ts";

/**
 * Credentials of Kong's key-auth plugin, which are in the clear: below their consumers, as `deck gateway dump` writes them;
 * in a list of their own that refers to consumers, as `kong config db_export` does; or as `GET /key-auths` answers.
 */
const CREDENTIAL = z.object({
  id: text,
  key: text,
  created_at: time,
  /** Seconds, from its creation on. */
  ttl: whole,
  consumer: z.union([z.string(), z.object({ id: text, username: text })]).nullish(),
});

const CONSUMER = z.object({
  id: text,
  username: text,
  custom_id: text,
  keyauth_credentials: z.array(z.unknown()).nullish(),
  acls: z.array(z.object({ group: text })).nullish(),
  plugins: z.array(z.object({ name: text })).nullish(),
  groups: z.array(z.object({ name: text })).nullish(),
});

const ACL = z.object({
  group: text,
  consumer: z.union([z.string(), z.object({ id: text, username: text })]).nullish(),
});

interface Consumer {
  readonly name: string | undefined;
  readonly customId: string | undefined;
  readonly groups: string[];
  readonly lost: readonly string[];
}

const FLAT: readonly string[] = ["keyauth_credentials", "data", "key-auths"];

export const kong: Source = {
  reads:
    "what deck gateway dump, kong config db_export or GET /key-auths write, as YAML or JSON; ACL groups become scopes",
  forms: ["json", "yaml"],
  lists: ["consumers", "acls", ...FLAT],
  createReader() {
    // Lists refer to each other, in any order.
    const consumers = new Map<string, Consumer>();
    const credentials: { line: number; credential: z.output<typeof CREDENTIAL> }[] = [];
    const groups: { owner: string; group: string }[] = [];
    return {
      read({ line, list, value }) {
        if (list === "acls") {
          const { group, consumer } = parsed(ACL, value);
          const owner = nameIn(consumer);
          if (group !== undefined && owner !== undefined) groups.push({ owner, group });
          return [];
        }
        if (list !== "consumers") {
          credentials.push({ line, credential: parsed(CREDENTIAL, withoutTilde(value)) });
          return [];
        }
        const read = parsed(CONSUMER, withoutTilde(value));
        const { id, username, custom_id, keyauth_credentials, acls } = read;
        const inline = (acls ?? []).flatMap(({ group }) => group ?? []);
        const lost = limitsOf(read);
        const consumer: Consumer = { name: username ?? custom_id, customId: custom_id, groups: inline, lost };
        for (const name of [id, username]) if (name !== undefined) consumers.set(name, consumer);
        for (const each of keyauth_credentials ?? []) {
          const credential = parsed(CREDENTIAL, withoutTilde(each));
          credentials.push({ line, credential: { ...credential, consumer: id ?? username ?? custom_id } });
          if (id === undefined && username === undefined) consumers.set(custom_id ?? "", consumer);
        }
        return [];
      },
      end() {
        for (const { owner, group } of groups) consumers.get(owner)?.groups.push(group);
        return credentials.map(({ line, credential }) => {
          try {
            return draftOf(line, credential, consumers);
          } catch (error) {
            if (error instanceof EntryProblem) return { line, problem: error.message };
            throw error;
          }
        });
      },
    };
  },
};

function draftOf(line: number, credential: z.output<typeof CREDENTIAL>, consumers: Map<string, Consumer>): Draft {
  const { id, key, ttl, created_at: createdAt } = credential;
  if (key === undefined) throw new EntryProblem("the credential has no key");
  const reference = nameIn(credential.consumer);
  const consumer = reference === undefined ? undefined : consumers.get(reference);
  const owner = consumer?.name ?? reference;
  const ends = ttl !== undefined && createdAt !== undefined ? new Date(createdAt.getTime() + ttl * 1000) : undefined;
  const { metadata } = metadataOf("kong.", { id, custom_id: consumer?.customId });
  return {
    line,
    ...fromSecret(key),
    name: owner,
    owner: owner === undefined ? undefined : { id: owner, type: "service" },
    scopes: consumer?.groups ?? [],
    expiresAt: ends,
    metadata,
    lost: [
      ...(consumer?.lost ?? []),
      ...(ttl !== undefined && ends === undefined ? [`a ttl (${ttl}) without the time from which it counts`] : []),
    ],
  };
}

/** Plugins and groups of the consumer, which limit or change what its keys do. */
function limitsOf({ plugins, groups }: z.output<typeof CONSUMER>): string[] {
  const [ownPlugins, ownGroups] = [plugins, groups].map((list) =>
    (list ?? []).flatMap(({ name }) => name ?? []).join(", "),
  );
  return [
    ...(ownPlugins ? [`plugins of its own (${ownPlugins})`] : []),
    ...(ownGroups ? [`consumer groups (${ownGroups})`] : []),
  ];
}

function nameIn(consumer: z.output<typeof CREDENTIAL>["consumer"]): string | undefined {
  if (consumer === null || consumer === undefined) return undefined;
  return typeof consumer === "string" ? consumer || undefined : (consumer.id ?? consumer.username);
}

/** `~` is how Kong writes nothing in YAML; read as text it would be one. */
function withoutTilde(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, entry === "~" ? undefined : entry]));
}

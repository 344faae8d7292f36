/** A part of Envoy's `config_dump`, whose shape is Envoy's business: whatever is looked for may be missing. */
export type Tree = Readonly<Record<string, unknown>>;

/** A connection manager, and where it stands. */
export interface Manager {
  readonly listener: string;
  readonly config: Tree;
  readonly filters: readonly Tree[];
}

const MANAGER = ".HttpConnectionManager";

/** The connection managers of all listeners, those that were added while Envoy runs included. */
export function managersIn(dump: Tree): Manager[] {
  return sections(dump, "ListenersConfigDump").flatMap((section) =>
    within(section, (tree) => Array.isArray(tree.filter_chains) || tree.default_filter_chain !== undefined).flatMap(
      (listener) =>
        within(listener, (tree) => String(tree["@type"]).endsWith(MANAGER)).map((config) => ({
          listener: String(listener.name ?? "(without a name)"),
          config,
          filters: list(config.http_filters),
        })),
    ),
  );
}

/** The cluster of a name. */
export function clusterIn(dump: Tree, name: string): Tree | undefined {
  const clusters = sections(dump, "ClustersConfigDump").flatMap((section) =>
    within(section, (tree) => tree.name === name && tree["@type"] !== undefined),
  );
  return clusters.find((tree) => String(tree["@type"]).endsWith(".Cluster"));
}

/** The names of virtual hosts and routes that turn a filter off. */
export function placesWithout(dump: Tree, filter: string): string[] {
  const places = within(dump, (tree) => subtree(tree, "typed_per_filter_config", filter)?.disabled === true);
  return places.map((place) => String(place.name || JSON.stringify(place.match ?? "a route")));
}

/** What stands below some names; undefined where it is no object. */
export function subtree(tree: Tree, ...names: readonly string[]): Tree | undefined {
  let at: unknown = tree;
  for (const name of names) at = isTree(at) ? at[name] : undefined;
  return isTree(at) ? at : undefined;
}

/** The objects of a list. */
export function list(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}

/** Milliseconds of a duration such as `0.250s`; undefined where none is set. */
export function milliseconds(value: unknown): number | undefined {
  return typeof value === "string" ? Number.parseFloat(value) * 1_000 : undefined;
}

function sections(dump: Tree, type: string): readonly Tree[] {
  return list(dump.configs).filter((section) => String(section["@type"]).endsWith(type));
}

/** The outermost objects that are asked for. */
function within(value: unknown, isAskedFor: (tree: Tree) => boolean): Tree[] {
  if (Array.isArray(value)) return value.flatMap((item) => within(item, isAskedFor));
  if (!isTree(value)) return [];
  return isAskedFor(value) ? [value] : Object.values(value).flatMap((item) => within(item, isAskedFor));
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

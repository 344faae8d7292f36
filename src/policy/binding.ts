import { isOwner, OWNER_FORM } from "../key/owner.ts";
import { isTenant, TENANT_FORM } from "../key/tenant.ts";

/**
 * Binds a route to the keys of a tenant or an owner: of one, or of the one that the path names. Made once; checks only
 * compare with it.
 */
export interface Binding {
  /** All of the tenant or owner; where a segment is named, what stands before its value. */
  readonly literal: string;
  /** Which segment of the path holds the rest, counted from 0. Unset: none. */
  readonly segment: number | undefined;
}

/** To whom a key belongs, and a path may. */
export type Belonging = "tenant" | "owner";

/**
 * Reads a binding as a route writes it (`acme`, `{tenant}`, `*`, `project/{p}`), or says in words what is wrong with it. `names`
 * are those of the path's segments, from `parsePattern`; undefined where the path is wrong itself, and only the form can be
 * judged.
 */
export function parseBinding(
  belonging: Belonging,
  text: string,
  names: readonly (string | undefined)[] | undefined,
): Binding | string {
  const [, literal, name] = TEMPLATE.exec(text) ?? [];
  if (literal === undefined || !FORMS[belonging].isSound(literal, name !== undefined)) {
    return `"${text}" must be ${FORMS[belonging].words}`;
  }
  if (name === undefined) return { literal, segment: undefined };
  if (names !== undefined) {
    const times = names.filter((other) => other === name).length;
    if (times === 0) return `"{${name}}" must be a segment of the path`;
    if (times > 1) return `"{${name}}" stands ${times} times in the path; it must stand once`;
  }
  return { literal, segment: names?.indexOf(name) };
}

/**
 * Whether a key with this tenant or owner opens this path. `path` comes from `readPath`, and not in its loose form: `ACME`
 * is not the tenant `acme`, and an escape of what is not unreserved is not the character that it stands for. A key without
 * one opens nothing here, but where any tenant will do.
 */
export function agrees({ literal, segment }: Binding, path: string, value: string | undefined): boolean {
  if (literal === ANY_TENANT) return true;
  if (value === undefined) return false;
  if (segment === undefined) return value === literal;
  const start = startOfSegment(path, segment);
  const length = value.length - literal.length;
  if (length <= 0 || !value.startsWith(literal)) return false;
  for (let index = 0; index < length; index++) {
    if (path.charCodeAt(start + index) !== value.charCodeAt(literal.length + index)) return false;
  }
  return start + length === path.length || path.charCodeAt(start + length) === SLASH;
}

const SLASH = 0x2f;

/** Every tenant, and none: for a route whose owner may be in any of them. No tenant is called so. */
export const ANY_TENANT = "*";

/** A literal, then at most one name of a segment. */
const TEMPLATE = /^([^{}]*)(?:\{([A-Za-z_][A-Za-z0-9_]*)\})?$/;

const FORMS: {
  readonly [Of in Belonging]: { readonly words: string; isSound(literal: string, isNamed: boolean): boolean };
} = {
  tenant: {
    words: `"{name}" of a segment of the path, "*" for any, or ${TENANT_FORM}`,
    isSound: (literal, isNamed) => (isNamed ? literal === "" : literal === ANY_TENANT || isTenant(literal)),
  },
  owner: {
    words: `${OWNER_FORM}, all or the end of which may be "{name}" of a segment of the path`,
    // Whatever is to come has one character at the least.
    isSound: (literal, isNamed) => isOwner(isNamed ? `${literal}x` : literal),
  },
};

/** Where the segment of a path begins; its end where the path has fewer. */
function startOfSegment(path: string, segment: number): number {
  let start = 1;
  for (let before = 0; before < segment; before++) {
    const slash = path.indexOf("/", start);
    if (slash === -1) return path.length;
    start = slash + 1;
  }
  return start;
}

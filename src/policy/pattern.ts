import { looseForm, readPath } from "../check/path.ts";

/**
 * A path pattern: literal segments, `{name}` or `*` for one segment that is not empty, and `**` at the end for any number
 * of them.
 */
export interface Pattern {
  /** The literal segments as they are compared; undefined stands for any one segment. */
  readonly segments: readonly (string | undefined)[];
  /** All segments joined, where each is literal: what most patterns come down to. */
  readonly literal: string | undefined;
  readonly openEnd: boolean;
}

/** A pattern in both of its forms: for what opens, and for what asks. */
export interface PatternForms {
  readonly exact: Pattern;
  readonly loose: Pattern;
  /** What the segments are called; undefined for literal ones and `*`. Both forms have them in the same places. */
  readonly names: readonly (string | undefined)[];
}

/** Reads a pattern, or says in words what is wrong with it. */
export function parsePattern(text: string): PatternForms | string {
  if (!text.startsWith("/")) return `must begin with "/"`;
  const openEnd = text.endsWith("/**");
  const segments = (openEnd ? text.slice(1, -3) : text.slice(1)).split("/");
  if (openEnd && text === "/**") segments.length = 0;
  const exact: (string | undefined)[] = [];
  const names: (string | undefined)[] = [];
  for (const [index, segment] of segments.entries()) {
    const name = NAMED_SEGMENT.exec(segment)?.[1];
    names.push(name);
    if (segment === "*" || name !== undefined) {
      exact.push(undefined);
      continue;
    }
    if (/[*{}]/.test(segment)) {
      return `"${segment}" must be a literal, "*" or "{name}" as a whole segment; "**" may stand only at the end`;
    }
    const last = index === segments.length - 1;
    const literal = readPath(`/${segment}`, true);
    if (literal === undefined || segment.includes("?") || (segment === "" && (!last || openEnd))) {
      return "can be read in more than one way";
    }
    exact.push(literal.slice(1));
  }
  return { exact: pattern(exact, openEnd), loose: pattern(loosened(exact), openEnd), names };
}

/** Whether a path, in the form of the pattern, matches it. */
export function matchesPattern(pattern: Pattern, path: string): boolean {
  const { literal, openEnd } = pattern;
  if (literal === undefined) return walk(pattern, path);
  if (!path.startsWith(literal)) return false;
  return path.length === literal.length || (openEnd && path.charCodeAt(literal.length) === SLASH);
}

const SLASH = 0x2f;

const NAMED_SEGMENT = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

function pattern(segments: readonly (string | undefined)[], openEnd: boolean): Pattern {
  const literal = segments.includes(undefined) ? undefined : segments.map((segment) => `/${segment}`).join("");
  return { segments, literal, openEnd };
}

/** A trailing slash makes an empty last segment: what asks leaves it out on both sides. */
function loosened(segments: readonly (string | undefined)[]): (string | undefined)[] {
  const kept = segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  return kept.map((segment) => (segment === undefined ? undefined : looseForm(`/${segment}`).slice(1)));
}

function walk({ segments, openEnd }: Pattern, path: string): boolean {
  let at = 0;
  for (const segment of segments) {
    if (path.charCodeAt(at) !== SLASH) return false;
    const slash = path.indexOf("/", at + 1);
    const end = slash === -1 ? path.length : slash;
    const length = end - at - 1;
    if (segment === undefined ? length === 0 : length !== segment.length || !path.startsWith(segment, at + 1)) {
      return false;
    }
    at = end;
  }
  return at === path.length || (openEnd && path.charCodeAt(at) === SLASH);
}

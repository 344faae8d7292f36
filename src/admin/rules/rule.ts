import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import type { RuleContext } from "./rule-context.ts";
import { quote } from "./value-rules.ts";

/** What is wrong with one part of a value. */
export interface PartProblem {
  /** How the part's path goes on behind the field's name, such as `.window`. */
  readonly part: string;
  readonly problem: string;
}

/** What is wrong with a value, as a phrase that follows the field's name, or with which parts of it. Undefined: nothing. */
export type Problem = string | readonly PartProblem[] | undefined;

/** Says what is wrong with a value. */
export type Rule<Value, Request> = (value: Value, request: Request, context: RuleContext) => Problem;

/** A rule for each field that has a bound; for a list, the rule of its items beside that of the list. */
export type Rules<Request> = {
  readonly [Field in keyof Request]?: Request[Field] extends readonly (infer Item)[]
    ? { readonly list: Rule<Request[Field], Request>; readonly each: Rule<Item, Request> }
    : Rule<Request[Field], Request>;
};

/** A rule of whichever field of whichever request. */
export type AnyRule = Rule<unknown, object> | { list: Rule<unknown, object>; each: Rule<unknown, object> };

/** An entry of the table of rules: the full name of a message, and its rules. */
export function rulesOf<Schema extends DescMessage>(
  schema: Schema,
  rules: Rules<MessageShape<Schema>>,
): [string, Rules<never>] {
  return [schema.typeName, rules as Rules<never>];
}

/** A mask that names one field or more of some, and no other: what is mistyped or output only is refused (AIP-134). */
export function maskOf(updatable: readonly string[]): Rule<FieldMask | undefined, unknown> {
  return (mask) => {
    if (mask === undefined || mask.paths.length === 0) return `must name one or more of ${updatable.join(", ")}`;
    const unknown = mask.paths.find((path) => !updatable.includes(path));
    return unknown === undefined ? undefined : `names ${quote(unknown)}; it can name ${updatable.join(", ")}`;
  };
}

/** The same rules for an update: a field that the mask does not name is not looked at. */
export function onlyIfMasked<Request extends { readonly updateMask?: FieldMask | undefined }>(
  rules: Rules<Request>,
): Rules<Request> {
  const masked = Object.entries<AnyRule>(rules as unknown as Record<string, AnyRule>).map(([field, rule]) => {
    const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const only =
      (inner: Rule<unknown, object>): Rule<unknown, Request> =>
      (value, request, context) =>
        request.updateMask?.paths.includes(name) ? inner(value, request, context) : undefined;
    return [field, typeof rule === "function" ? only(rule) : { list: only(rule.list), each: only(rule.each) }];
  });
  return Object.fromEntries(masked) as Rules<Request>;
}

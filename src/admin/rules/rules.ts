import type { DescMessage } from "@bufbuild/protobuf";
import {
  CreateAdminKeyRequestSchema,
  RevokeAdminKeyRequestSchema,
} from "../../gen/keyward/admin/v1/admin_key_service_pb.ts";
import { RotateSigningKeyRequestSchema } from "../../gen/keyward/admin/v1/system_service_pb.ts";
import { ADMIN_SCOPES, isAdminScope } from "../admin-scope.ts";
import { AUDIT_RULES } from "../audit/audit-rules.ts";
import type { FieldViolation } from "../errors.ts";
import { CHECK_RULES } from "../explain/check-rules.ts";
import { KEY_RULES } from "../keys/key-rules.ts";
import { OWNER_RULES } from "../owners/owner-rules.ts";
import { type AnyRule, type Problem, type Rules, rulesOf } from "./rule.ts";
import type { RuleContext } from "./rule-context.ts";
import { adminKeyName, isPasted, name, required, signingAlg, tenantName } from "./value-rules.ts";

/** Every bound that the proto comments state, by message. What is not here has none. */
const RULES: ReadonlyMap<string, Rules<never>> = new Map([
  ...KEY_RULES,
  ...CHECK_RULES,
  ...OWNER_RULES,
  ...AUDIT_RULES,
  rulesOf(CreateAdminKeyRequestSchema, {
    name: (text) => required(text) ?? name(text),
    scopes: {
      list: () => undefined,
      each: (scope) => (isAdminScope(scope) ? undefined : `"${scope}" must be one of ${ADMIN_SCOPES.join(", ")}`),
    },
    tenant: tenantName,
  }),
  rulesOf(RevokeAdminKeyRequestSchema, { key: adminKeyName }),
  rulesOf(RotateSigningKeyRequestSchema, { alg: signingAlg }),
]);

/** Everything in a request that is not as its proto comment says it must be. Fields are named as in the proto. */
export function violationsIn(schema: DescMessage, request: object, context: RuleContext): FieldViolation[] {
  const violations: FieldViolation[] = [];
  const report = (field: string, problem: Problem) => {
    const problems = typeof problem === "string" ? [{ part: "", problem }] : (problem ?? []);
    violations.push(...problems.map(({ part, problem: description }) => ({ field: field + part, description })));
  };
  const values = request as Readonly<Record<string, unknown>>;
  const pasted = Object.keys(values).filter(
    (field) => field !== "key" && !isMessageList(schema, field) && isPasted(values[field]),
  );
  for (const field of pasted) {
    report(protoName(schema, field, values[field]), "holds a whole key, which would be stored in the clear");
  }
  for (const [field, rule] of Object.entries<AnyRule>(RULES.get(schema.typeName) ?? {})) {
    // Whatever else is wrong with it would be said with the key in quotation marks.
    if (pasted.includes(field)) continue;
    const value = values[field];
    const name = protoName(schema, field, value);
    if (typeof rule === "function") {
      report(name, rule(value, request, context));
    } else {
      const problem = rule.list(value, request, context);
      report(name, problem);
      // Too many are refused unseen, and one that stands twice is seen once: looking at ten thousand takes minutes.
      const seen = new Set<unknown>();
      for (const [index, item] of problem === undefined ? (value as unknown[]).entries() : []) {
        if (seen.has(item)) continue;
        seen.add(item);
        report(`${name}[${index}]`, rule.each(item, request, context));
      }
    }
  }
  return violations;
}

/** Records in a request: each is judged as the request is that it stands for. */
function isMessageList(schema: DescMessage, localName: string): boolean {
  const field = schema.fields.find((known) => known.localName === localName);
  return field?.fieldKind === "list" && field.listKind === "message";
}

/** A field as the proto writes it; of a oneof, the member that is set. */
function protoName(schema: DescMessage, localName: string, value: unknown): string {
  const member = schema.oneofs.some((oneof) => oneof.localName === localName)
    ? (value as { case?: string }).case
    : localName;
  return schema.fields.find((field) => field.localName === member)?.name ?? localName;
}

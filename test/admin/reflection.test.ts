import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type ServerReflectionResponse,
  ServerReflection as V1,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { http2Options } from "./support/clients.ts";
import { serveOnce } from "./support/served.ts";

const served = serveOnce();

type Question =
  | { case: "listServices" | "fileContainingSymbol" | "fileByFilename" | "allExtensionNumbersOfType"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined };

const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;

describe.each([
  ["v1", V1],
  ["v1alpha", V1Alpha],
])("reflection %s", (_, service) => {
  /** Asks one question after another on one call, as its tools do. */
  async function ask(...questions: Question[]) {
    const options = http2Options(served().keyward.admin);
    onTestFinished(() => options.sessionManager.abort());
    const client = createClient(service as typeof V1, createGrpcTransport(options));
    const requests = async function* () {
      for (const messageRequest of questions) yield { host: "admin", messageRequest };
    };
    const answers: ServerReflectionResponse[] = [];
    for await (const answer of client.serverReflectionInfo(requests())) answers.push(answer);
    return answers;
  }

  async function filesOf(question: Question) {
    const [answer] = await ask(question);
    const response = answer?.messageResponse;
    if (response?.case !== "fileDescriptorResponse") throw new Error(`the answer is ${response?.case}`);
    return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  }

  test("lists every service of the admin API, to whoever asks", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    const names = [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "keyward.admin.v1.AdminKeyService",
      "keyward.admin.v1.AuditService",
      "keyward.admin.v1.KeyService",
      "keyward.admin.v1.OwnerService",
      "keyward.admin.v1.SystemService",
    ];
    expect(answer).toMatchObject({
      validHost: "admin",
      originalRequest: { messageRequest: { case: "listServices" } },
      messageResponse: { case: "listServicesResponse", value: { service: { length: names.length } } },
    });
    for (const name of names) {
      expect(answer).toHaveProperty(
        "messageResponse.value.service",
        expect.arrayContaining([expect.objectContaining({ name })]),
      );
    }
  });

  test("describes KeyService with all that it imports, so that a tool can call it", async () => {
    const [first, ...others] = await filesOf({ case: "fileContainingSymbol", value: "keyward.admin.v1.KeyService" });
    const file = importsFirst(first, others);
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    const methods = registry.getService("keyward.admin.v1.KeyService")?.methods ?? [];
    expect(methods.map(({ name }) => name)).toEqual([
      ...[
        "CreateKey",
        "GetKey",
        "ListKeys",
        "RevokeKey",
        "UpdateKey",
        "RotateKey",
        "DisableKey",
        "EnableKey",
        "ImportKeys",
        "ExplainCheck",
        "VerifyKey",
        "GetDecision",
      ],
    ]);
    const [createKey] = methods;
    expect(createKey?.input.fields.map(({ name, number }) => [name, number])).toEqual([
      ["name", 1],
      ["tenant", 2],
      ["owner", 3],
      ["note", 4],
      ["scopes", 5],
      ["paths", 6],
      ["not_before", 7],
      ["expires_at", 8],
      ["expires_in", 9],
      ["never_expires", 14],
      ["methods", 10],
      ["cidrs", 11],
      ["request_id", 12],
      ["validate_only", 13],
      ["inherit_scopes", 15],
      ["metadata", 16],
      ["rate_limit", 17],
      ["prefix", 18],
      ["format", 19],
      ["alg", 20],
    ]);
  });

  test.each([
    ["a message", "keyward.admin.v1.Key", "keyward/admin/v1/key.proto"],
    ["a field", "keyward.admin.v1.Key.owner", "keyward/admin/v1/key.proto"],
    ["a oneof", "keyward.admin.v1.CreateKeyRequest.expiry", "keyward/admin/v1/key_service.proto"],
    ["an enum", "keyward.admin.v1.KeyState", "keyward/admin/v1/key.proto"],
    ["a value of an enum", "keyward.admin.v1.KEY_STATE_ACTIVE", "keyward/admin/v1/key.proto"],
    ["a value of an enum in a message", "grpc.health.v1.HealthCheckResponse.SERVING", "health/v1/health.proto"],
    ["a method", "keyward.admin.v1.KeyService.GetKey", "keyward/admin/v1/key_service.proto"],
    ["a service beside ours", "grpc.health.v1.Health", "health/v1/health.proto"],
    ["a message that ours import", "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
  ])("finds the file of %s", async (_, value, name) => {
    const [first] = await filesOf({ case: "fileContainingSymbol", value });
    expect(first?.name).toBe(name);
  });

  test.each(["keyward/admin/v1/key_service.proto", "google/protobuf/duration.proto"])(
    "finds the file %s by its name",
    async (value) => {
      const [first] = await filesOf({ case: "fileByFilename", value });
      expect(first?.name).toBe(value);
    },
  );

  test.each<[title: string, question: Question, errorCode: number]>([
    ["a symbol", { case: "fileContainingSymbol", value: "keyward.admin.v1.KeyServic" }, NOT_FOUND],
    ["a member", { case: "fileContainingSymbol", value: "keyward.admin.v1.Key.ownr" }, NOT_FOUND],
    ["a method", { case: "fileContainingSymbol", value: "keyward.admin.v1.KeyService.GetKe" }, NOT_FOUND],
    [
      "a value inside its enum",
      { case: "fileContainingSymbol", value: "keyward.admin.v1.KeyState.KEY_STATE_ACTIVE" },
      NOT_FOUND,
    ],
    ["a package", { case: "fileContainingSymbol", value: "keyward.admin.v1" }, NOT_FOUND],
    ["an empty symbol", { case: "fileContainingSymbol", value: "" }, NOT_FOUND],
    ["a file", { case: "fileByFilename", value: "keyward/admin/v1/key_service" }, NOT_FOUND],
    ["extensions", { case: "allExtensionNumbersOfType", value: "keyward.admin.v1.Key" }, NOT_FOUND],
    [
      "an extension",
      { case: "fileContainingExtension", value: { containingType: "keyward.admin.v1.Key", extensionNumber: 1 } },
      NOT_FOUND,
    ],
    ["a question that is none", { case: undefined }, INVALID_ARGUMENT],
  ])("says that there is no such thing: %s", async (_, question, errorCode) => {
    const [answer] = await ask(question);
    expect(answer?.messageResponse).toMatchObject({ case: "errorResponse", value: { errorCode } });
  });

  test("goes on after a question without an answer", async () => {
    const answers = await ask({ case: "fileByFilename", value: "none" }, { case: "listServices", value: "" });
    expect(answers.map(({ messageResponse }) => messageResponse.case)).toEqual([
      "errorResponse",
      "listServicesResponse",
    ]);
  });
});

/** The order in which a set of files is read: each after all that it imports. */
function importsFirst(
  file: FileDescriptorProto | undefined,
  others: readonly FileDescriptorProto[],
): FileDescriptorProto[] {
  if (file === undefined) throw new Error("an answer lacks a file that another one imports");
  const imported = file.dependency.flatMap((name) =>
    importsFirst(
      others.find((other) => other.name === name),
      others,
    ),
  );
  return [...new Set([...imported, file])];
}

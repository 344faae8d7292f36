import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";

/** What both versions of the reflection protocol ask; they differ in nothing but the name of their package. */
interface ReflectionRequest {
  readonly host: string;
  readonly messageRequest:
    | {
        readonly case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices";
        readonly value: string;
      }
    | { readonly case: "fileContainingExtension"; readonly value: object }
    | { readonly case: undefined; readonly value?: undefined };
}

/**
 * Answers `grpc.reflection.v1.ServerReflection` and its v1alpha (the gRPC server reflection protocol): which services
 * there are, and the files that describe them with all that they import.
 */
export function createReflectionService(services: readonly DescService[]) {
  const files = new Map<string, DescFile>();
  for (const { file } of services) collectFiles(file, files);
  const symbols = new Map(
    [...files.values()].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)),
  );

  const answer = ({ messageRequest }: ReflectionRequest) => {
    switch (messageRequest.case) {
      case "listServices":
        return listServicesResponse(services);
      case "fileByFilename":
        return filesResponse(files.get(messageRequest.value), messageRequest.value);
      case "fileContainingSymbol":
        return filesResponse(symbols.get(messageRequest.value), messageRequest.value);
      case "allExtensionNumbersOfType":
      case "fileContainingExtension":
        return errorResponse(Code.NotFound, "no message of this API has extensions");
      default:
        return errorResponse(Code.InvalidArgument, "the request asks nothing");
    }
  };

  return {
    async *serverReflectionInfo<Request extends ReflectionRequest>(requests: AsyncIterable<Request>) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request) };
      }
    },
  };
}

function listServicesResponse(services: readonly DescService[]) {
  return {
    case: "listServicesResponse",
    value: { service: services.map(({ typeName }) => ({ name: typeName })) },
  } as const;
}

/** A file with everything it imports, so that one answer is enough. */
function filesResponse(file: DescFile | undefined, asked: string) {
  if (file === undefined) return errorResponse(Code.NotFound, `there is no ${asked}`);
  const found = new Map<string, DescFile>();
  collectFiles(file, found);
  const fileDescriptorProto = [...found.values()].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
}

function errorResponse(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}

/** The full names of everything that a file defines. Values of an enum stand beside it, not in it. */
function symbolsOf(file: DescFile): string[] {
  return [...nestedTypes(file)].flatMap((type) => {
    const { typeName } = type;
    if (type.kind === "message")
      return [typeName, ...[...type.fields, ...type.oneofs].map(({ name }) => `${typeName}.${name}`)];
    if (type.kind === "service") return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
    if (type.kind === "enum") {
      const scope = typeName.slice(0, -type.name.length);
      return [typeName, ...type.values.map(({ name }) => scope + name)];
    }
    return [typeName];
  });
}

/** A descriptor knows its file by the name without `.proto`. */
function collectFiles(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(`${file.name}.proto`)) return;
  into.set(`${file.name}.proto`, file);
  for (const dependency of file.dependencies) collectFiles(dependency, into);
}

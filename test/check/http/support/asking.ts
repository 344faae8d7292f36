import { createHttpCheck } from "../../../../src/check/check.ts";
import type { HttpAnswer } from "../../../../src/check/http/answer.ts";
import { DIALECTS, type DialectName } from "../../../../src/check/http/dialects.ts";
import type { HttpRequest } from "../../../../src/check/http/request.ts";
import type { CheckPorts } from "../../../../src/check/ports.ts";
import type { HeaderList } from "../../../support/check-request.ts";
import { portsOf, sampleContext } from "../../../support/sample-check.ts";

/** An original request. Left out: `GET /` of `api.test` from 192.0.2.7, without headers. */
export interface Original {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly address?: string;
  readonly headers?: HeaderList;
}

/** What a gateway of a dialect would ask about an original request, byte for byte. */
export function askAbout(dialect: DialectName, original: Original = {}): HttpRequest {
  const { method = "GET", target = "/", host = "api.test", address = "192.0.2.7", headers = [] } = original;
  const forwarded = [
    ["X-Forwarded-Method", method],
    ["X-Forwarded-Uri", target],
    ["X-Forwarded-Host", host],
  ] as const;
  const own = {
    envoy: [
      ["host", host],
      ["x-forwarded-for", address],
    ],
    nginx: [
      ["X-Original-Method", method],
      ["X-Original-URI", target],
      ["X-Forwarded-Host", host],
      ["X-Real-IP", address],
    ],
    "ingress-nginx": [
      ["X-Original-Method", method],
      ["X-Original-URL", `https://${host}${target}`],
      ["X-Real-IP", address],
    ],
    traefik: [...forwarded, ["X-Forwarded-For", address]],
    caddy: [...forwarded, ["X-Forwarded-For", address]],
    haproxy: [...forwarded, ["X-Real-IP", address]],
  } as const satisfies Readonly<Record<DialectName, HeaderList>>;
  const { path } = DIALECTS[dialect];
  return {
    dialect,
    method: dialect === "envoy" ? method : "GET",
    url: dialect === "envoy" ? path + target : path,
    rawHeaders: [...own[dialect], ...headers].flat(),
  };
}

/** What is answered in such surroundings. */
export function answerTo(request: HttpRequest, ports: Partial<CheckPorts> = {}): HttpAnswer {
  return createHttpCheck(portsOf(ports))(request, sampleContext);
}

/** A header of an answer, which must not be there twice. */
export function headerOf({ headers }: HttpAnswer, name: string): string | undefined {
  const values = headers.flatMap(([own, value]) => (own === name ? [value] : []));
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times`);
  return values[0];
}

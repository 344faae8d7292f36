import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { shippedEnvoyConfig } from "../../../demo/envoy-config.ts";
import { judgeEnvoy } from "../../../src/cli/doctor/envoy.ts";
import type { Tree } from "../../../src/cli/doctor/envoy-dump.ts";
import { RULES } from "../../../src/cli/doctor/envoy-rules.ts";
import { type Envoy, startEnvoy } from "../../support/envoy.ts";

/** The parts of the shipped configuration that a row may change. */
// biome-ignore lint/suspicious/noExplicitAny: a configuration of Envoy, whose shape its own start judges.
type Open = any;
interface Parts {
  manager: Open;
  filters: Open[];
  authz: Open;
  cluster: Open;
}

type Row = [title: string, change: (parts: Parts) => void, found: RegExp[]];

/** Beside each row that is told of stands one that is not. */
const rows: Row[] = [
  ["as it is shipped", () => {}, [/^asks Keyward as it should$/]],
  ["disabled", ({ filters }) => Object.assign(filters[1], { disabled: true }), [/^ext_authz is disabled/]],
  ["fail open", ({ authz }) => Object.assign(authz, { failure_mode_allow: true }), [/^failure_mode_allow is true/]],
  [
    "HTTP/1.1 to Keyward",
    ({ cluster }) => {
      delete cluster.typed_extension_protocol_options;
      delete cluster.health_checks;
    },
    [/^the cluster of Keyward does not speak HTTP\/2/],
  ],
  [
    "HTTP/2 to Keyward the old way",
    ({ cluster }) => {
      delete cluster.typed_extension_protocol_options;
      cluster.http2_protocol_options = {};
    },
    [/^asks Keyward as it should$/],
  ],
  [
    "an authority with a bar",
    ({ authz }) => {
      authz.grpc_service.envoy_grpc.authority = "outbound|9000||keyward";
    },
    [/^the authority of the call has a character/],
  ],
  [
    "a body that is too large",
    ({ authz }) => Object.assign(authz, { with_request_body: { max_request_bytes: 3 * 1024 * 1024 } }),
    [/^with_request_body sends more/],
  ],
  [
    "a body that is just small enough",
    ({ authz }) => Object.assign(authz, { with_request_body: { max_request_bytes: 3 * 1024 * 1024 - 1 } }),
    [/^asks Keyward as it should$/],
  ],
  ["nothing that cleans", ({ filters }) => filters.shift(), [/^nothing in front removes/]],
  ["what cleans behind", ({ filters }) => filters.splice(0, 2, filters[1], filters[0]), [/^nothing in front removes/]],
  ["no raw headers", ({ authz }) => delete authz.encode_raw_headers, [/^encode_raw_headers is not set/]],
  ["no normalize_path", ({ manager }) => delete manager.normalize_path, [/^normalize_path is not set/]],
  ["no merge_slashes", ({ manager }) => delete manager.merge_slashes, [/^merge_slashes is not set/]],
  [
    "escaped slashes kept",
    ({ manager }) => delete manager.path_with_escaped_slashes_action,
    [/^path_with_escaped_slashes_action keeps/],
  ],
  [
    "a timeout without an end",
    ({ authz }) => {
      authz.grpc_service.timeout = "0s";
    },
    [/^grpc_service.timeout lets/],
  ],
  [
    "a timeout of 99 ms",
    ({ authz }) => {
      authz.grpc_service.timeout = "0.099s";
    },
    [/^grpc_service.timeout leaves/],
  ],
  ["Envoy's own timeout", ({ authz }) => delete authz.grpc_service.timeout, [/^asks Keyward as it should$/]],
  [
    "a long wait for a connection",
    ({ cluster }) => Object.assign(cluster, { connect_timeout: "5s" }),
    [/^the cluster of Keyward waits longer/],
  ],
  ["Envoy's own limits", ({ cluster }) => delete cluster.circuit_breakers, [/^the cluster of Keyward has Envoy's own/]],
  ["no second try", ({ authz }) => delete authz.grpc_service.retry_policy, [/^checks are not tried again/]],
  ["no ext_authz", ({ filters }) => filters.splice(1, 1), [/^has no ext_authz filter/]],
];

let envoy: Envoy;
let dump: Tree;

/** One real Envoy that has a listener for each row. */
beforeAll(async () => {
  const config: Open = parse(await shippedEnvoyConfig({ keyward: 1, upstream: 1 }));
  const [listener] = config.static_resources.listeners;
  const [cluster, upstream] = config.static_resources.clusters;
  const made = rows.map(([name, change]) => {
    const own = structuredClone({ listener, cluster });
    const clusterName = `keyward of ${name}`;
    own.cluster.name = own.cluster.load_assignment.cluster_name = clusterName;
    own.listener.name = name;
    const manager = own.listener.filter_chains[0].filters[0].typed_config;
    const authz = manager.http_filters[1].typed_config;
    authz.grpc_service.envoy_grpc.cluster_name = clusterName;
    change({ manager, filters: manager.http_filters, authz, cluster: own.cluster });
    return own;
  });
  const listeners = made.map((own) => own.listener);
  const clusters = [...made.map((own) => own.cluster), upstream];
  envoy = await startEnvoy({ config: { static_resources: { listeners, clusters } } });
  dump = (await (await fetch(`http://127.0.0.1:${envoy.adminPort}/config_dump`)).json()) as Tree;
});

afterAll(() => envoy?.stop());

const messagesOf = (name: string, trustedHops = 0) =>
  judgeEnvoy(dump, trustedHops)
    .filter(({ subject }) => subject === `envoy ${name}`)
    .map(({ message }) => message);

describe("a real Envoy", () => {
  test.each(rows)("with %s is judged", (name, _, found) => {
    expect(messagesOf(name)).toEqual(found.map((pattern) => expect.stringMatching(pattern)));
  });

  test("has to take use_remote_address where hops are counted", () => {
    const shipped = "as it is shipped";
    expect(messagesOf(shipped, 1)).toEqual(["asks Keyward as it should"]);
    const [listener] = JSON.stringify(dump).split('"use_remote_address":true').length > 1 ? [shipped] : [];
    const without = JSON.parse(JSON.stringify(dump).replaceAll('"use_remote_address":true,', ""));
    const findings = judgeEnvoy(without, 1).filter(({ subject }) => subject === `envoy ${listener}`);
    expect(findings.map(({ state, message }) => [state, message])).toEqual([
      ["fail", expect.stringMatching(/^use_remote_address is not set/)],
    ]);
    expect(
      judgeEnvoy(without, 0).filter(({ subject, state }) => subject === `envoy ${listener}` && state !== "ok"),
    ).toEqual([]);
  });

  test("whose cluster is missing is told of", () => {
    const without = JSON.parse(
      JSON.stringify(dump).replaceAll('"cluster_name":"keyward of as it is shipped"', '"cluster_name":"k"'),
    );
    const findings = judgeEnvoy(without, 0).filter(({ subject }) => subject === "envoy as it is shipped");
    expect(findings.map(({ state, message }) => [state, message])).toEqual([
      ["fail", "the cluster that ext_authz asks is not there"],
    ]);
  });

  test("each rule is broken by one of them, and says what to do", () => {
    const all = [...judgeEnvoy(dump, 0).map(({ message }) => message)];
    const seen = RULES.filter(({ message }) => all.includes(message)).length;
    // The cluster that is missing and the hops have tests of their own.
    expect(seen).toBe(RULES.length - 2);
    expect(RULES.filter(({ advice }) => !advice.endsWith("."))).toEqual([]);
  });
});

test("a route that turns ext_authz off is told of, and an Envoy without it is a failure", () => {
  const off = { "envoy.filters.http.ext_authz": { disabled: true } };
  const routes = { "@type": "x.RoutesConfigDump", routes: [{ name: "open", typed_per_filter_config: off }] };
  const configs = [...(dump.configs as Tree[]), routes];
  expect(judgeEnvoy({ configs }, 0).at(-1)).toMatchObject({ state: "warn", message: "open turns ext_authz off" });
  expect(judgeEnvoy({ configs: [] }, 0)).toMatchObject(
    [{ state: "fail", message: /no ext_authz filter/ }].map(() => ({ state: "fail" })),
  );
});

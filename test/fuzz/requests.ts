import fc from "fast-check";
import { DEFAULT_SOURCES } from "../../src/check/credential.ts";
import { writeSecret } from "../../src/key/secret.ts";
import { policyOf } from "../support/policies.ts";
import { portsOf } from "../support/sample-check.ts";
import { recordOf, secretOf, storeOf } from "../support/sample-keys.ts";
import { ROUTES } from "./judge.ts";
import type { Worded } from "./wire-message.ts";

/** The one key that opens, and from where. */
export const KEY = { secret: secretOf("the key"), address: "10.0.0.7" } as const;

/** What is told of it. */
export const RECORD = recordOf({
  scopes: ["a"],
  tenant: "acme",
  owner: "service/ci",
  networks: { has: (address) => address === KEY.address },
});

/** The surroundings in which everything is judged: all places of credentials, and the routes that the judge knows. */
export const PORTS = portsOf({
  policy: policyOf(ROUTES.map((route) => ({ ...route, ...("scopes" in route && { scopes: [...route.scopes] }) }))),
  credentials: [...DEFAULT_SOURCES, { from: "cookie", name: "api_key" }, { from: "query", name: "api_key" }],
  store: storeOf({ [KEY.secret]: RECORD }),
});

const { secret } = KEY;
const OTHER = secretOf("another key");
const ADMIN = writeSecret("kwadm", new Uint8Array(32));

/** What is said where a key may be. */
const VALUES = [
  ...[
    `Bearer ${secret}`,
    `bearer  ${secret}`,
    `ApiKey ${secret}`,
    secret,
    `api_key=${secret}`,
    `a=b; api_key=${secret}; c=d`,
  ],
  ...[
    `Bearer ${OTHER}`,
    OTHER,
    `Bearer ${ADMIN}`,
    `Bearer ${secret.slice(0, -1)}`,
    `Bearer ${secret}x`,
    `${secret},${secret}`,
  ],
  ...[
    `Bearer ${secret}, Bearer ${secret}`,
    `Digest a=b, Bearer ${secret}`,
    `Basic a2V5OmtleQ==`,
    "Bearer",
    "",
    "a=b",
    "key_admin",
  ],
  ...[` ${secret}\t`, `api_key=${secret}, api_key=${secret}`, `api_key=${OTHER}`, "\xff\xfe"],
];

/** Headers that are looked at, and some that look like them. */
const NAMES = [
  ...[
    "authorization",
    "Authorization",
    "x-api-key",
    "X-API-Key",
    "cookie",
    "Cookie",
    "accept",
    "x_api_key",
    "user-agent",
  ],
  ...[
    "x-keyward-key-id",
    "X-Keyward-Owner",
    "x_keyward_owner",
    "x.keyward-tenant",
    "x-keyward-scopes",
    "X_KEYWARD.SCOPES",
  ],
];

/** Targets near those that the routes speak of. */
export const targets = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("/v1/orders", "/v1/orders", "/v1", "/open", "/v1/x?a=b") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        "/v1/admin",
        "/v1/%61dmin",
        "/v1/ADMIN/",
        "/closed/x",
        "/Closed",
        "/open/",
        "/OPEN",
        "/%6fpen",
        "/v1/x!y",
        "/v2",
        "/",
      ],
      ...[
        "/v1/../open",
        "/v1//x",
        "/v1/x;y",
        "/v1/%2e%2e/x",
        "/v1/%c3%a9",
        "/v1/%c0%ae",
        "/v1/x%00",
        "/v1/a,/open",
        "v1",
        "*",
        "",
        "/v1/\xe9",
      ],
      ...[
        `/v1/x?api_key=${secret}`,
        `/v1/x?api%5Fkey=${secret}&b`,
        `/v1/x?api_key=${secret}&api_key=${secret}`,
        "/v1/x?api_key=no",
      ],
    ),
  },
);

const header = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom("authorization", "x-api-key", "cookie"), fc.constantFrom(...VALUES)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)) },
);

/** Headers of a client: about one in two times the key as it should be, and whatever else. */
export const headerLists = fc
  .tuple(
    fc.constantFrom([["authorization", `Bearer ${secret}`] as const], [["x-api-key", secret] as const], []),
    fc.array(header, { maxLength: 3, size: "-1" }),
    fc.boolean(),
  )
  .map(([good, more, atFirst]) => (atFirst ? [...more, ...good] : [...good, ...more]));

export const methods = fc.oneof(
  { weight: 9, arbitrary: fc.constant("GET") },
  { weight: 1, arbitrary: fc.constantFrom("POST", "get", "CONNECT", "", "G T") },
);
export const hosts = fc.oneof(
  { weight: 9, arbitrary: fc.constant("api.test") },
  { weight: 1, arbitrary: fc.constantFrom("", "a,b", "a@b", "api.test:80", "%61", "[::1]") },
);
export const addresses = fc.oneof(
  { weight: 9, arbitrary: fc.constant<string>(KEY.address) },
  { weight: 1, arbitrary: fc.constantFrom("10.0.0.8", "") },
);

const pseudo = fc.oneof(
  { weight: 8, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.tuple(
        fc.constantFrom(":path", ":method", ":authority", ":Path"),
        fc.constantFrom("/open", "/v1/orders", "GET", "api.test"),
      ),
      { maxLength: 2 },
    ),
  },
);
const extension = fc.tuple(
  fc.constantFrom(
    "keyward.access",
    "keyward.scopes",
    "keyward.match",
    "keyward.tenant",
    "Keyward.access",
    "keyward.x",
    "other",
  ),
  fc.constantFrom("public", "authenticated", "deny", "a", "b", "a b", "any", "all", "acme", "other", ""),
);

/** Requests as Envoy would describe them. */
export const worded: fc.Arbitrary<Worded> = fc
  .record({
    method: methods,
    path: targets,
    host: hosts,
    headers: headerLists,
    pseudo,
    form: fc.constantFrom(
      "header_map",
      "header_map",
      "header_map",
      "headers",
      "headers",
      "both",
      "both, the map first",
    ),
    extensions: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(extension, { maxLength: 2 }) },
    ),
    address: fc.option(addresses, { nil: undefined, freq: 9 }),
    withPseudo: fc.constantFrom(true, true, true, false),
  })
  .map(({ pseudo, withPseudo, headers, ...rest }) => {
    const own = [
      [":method", rest.method],
      [":path", rest.path],
      [":authority", rest.host],
    ] as const;
    return { ...rest, headers: [...(withPseudo ? own : []), ...pseudo, ...headers] };
  });

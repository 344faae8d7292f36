/** The words of the table: the reason that each stands for, and the status that a client gets with it. */
export const WORDS = {
  ok: ["allowed", 200],
  public: ["public", 200],
  ambiguous: ["ambiguous_path", 400],
  broken: ["misconfigured_route", 403],
  closed: ["route_denied", 403],
  "no-key": ["no_credential", 401],
  two: ["ambiguous_credential", 400],
  mistyped: ["malformed_credential", 401],
  unknown: ["unknown_key", 401],
  revoked: ["key_revoked", 401],
  disabled: ["key_disabled", 401],
  "owner-off": ["owner_disabled", 401],
  expired: ["key_expired", 401],
  early: ["key_not_yet_valid", 401],
  address: ["address_not_allowed", 403],
  tenant: ["tenant_mismatch", 403],
  owner: ["owner_mismatch", 403],
  method: ["method_not_allowed", 403],
  path: ["path_not_allowed", 403],
  scope: ["insufficient_scope", 403],
  rate: ["rate_limited", 429],
} as const satisfies Readonly<Record<string, readonly [reason: string, status: number]>>;

/**
 * The answer to each request of `requests.ts` with each key of `keys.ts`, as it is promised: written by hand, by none of
 * our code. In parentheses stand requests and keys that are answered before there is a record for `decide` to judge.
 */
export const TABLES: readonly string[] = [
  // Where a key opens: its paths, its methods, and what the route asks for.
  `
                        | ping       x          orders     query      order      ORDERS     slash      coded      post       delete
no scopes               | ok         ok         scope      scope      scope      scope      scope      scope      scope      ok
orders:read             | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
orders:write            | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
billing:read            | ok         ok         scope      scope      scope      scope      scope      scope      scope      ok
both reads              | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
orders:*                | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
every scope             | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
admin:all               | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
path /v1                | ok         path       ok         ok         ok         path       ok         ok         ok         ok
path /v1/orders         | path       path       ok         ok         ok         path       ok         ok         ok         ok
path =/v1/orders        | path       path       ok         ok         path       path       path       ok         ok         ok
two paths               | path       ok         path       path       ok         path       path       path       path       path
method GET              | ok         ok         ok         ok         ok         ok         ok         ok         method     method
from 127.0.0.1          | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
from 10.0.0.0/8         | address    address    address    address    address    address    address    address    address    address
used up                 | rate       rate       rate       rate       rate       rate       rate       rate       scope      rate
not yet                 | early      early      early      early      early      early      early      early      early      early
expired                 | expired    expired    expired    expired    expired    expired    expired    expired    expired    expired
disabled                | disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled
enabled again           | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
revoked                 | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
rotated                 | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
rotated, grace over     | expired    expired    expired    expired    expired    expired    expired    expired    expired    expired
rotated, no grace       | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
successor               | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
successor, no grace     | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
owner disabled          | owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off
owner deleted           | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
cut by its owner        | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
inherits                | ok         ok         ok         ok         ok         ok         ok         ok         ok         ok
inherits, no list       | ok         ok         scope      scope      scope      scope      scope      scope      scope      ok
tenant acme             | ok         ok         scope      scope      scope      scope      scope      scope      scope      ok
owner project/p1        | ok         ok         scope      scope      scope      scope      scope      scope      scope      ok
acme, p1, GET, path /t  | path       path       path       path       path       path       path       path       method     method
signed                  | ok         ok         ok         ok         ok         ok         ok         ok         scope      ok
signed, revoked         | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
(unknown)               | unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown
(admin key)             | unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown
`,
  // How many scopes a route asks for, to whom its path belongs, and from where the request comes.
  `
                        | any        all        admin      acme       acme2      ACME       p1         p2         P1         from-2
no scopes               | scope      scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
orders:read             | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
orders:write            | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
billing:read            | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
both reads              | ok         ok         scope      tenant     tenant     tenant     owner      owner      owner      ok
orders:*                | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
every scope             | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      ok
admin:all               | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      ok
path /v1                | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      ok
path /v1/orders         | ok         ok         path       tenant     tenant     tenant     owner      owner      owner      path
path =/v1/orders        | path       path       path       tenant     tenant     tenant     owner      owner      owner      path
two paths               | path       path       path       tenant     tenant     tenant     owner      owner      owner      path
method GET              | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      ok
from 127.0.0.1          | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      address
from 10.0.0.0/8         | address    address    address    address    address    address    address    address    address    address
used up                 | rate       scope      scope      tenant     tenant     tenant     owner      owner      owner      rate
not yet                 | early      early      early      early      early      early      early      early      early      early
expired                 | expired    expired    expired    expired    expired    expired    expired    expired    expired    expired
disabled                | disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled   disabled
enabled again           | ok         ok         ok         tenant     tenant     tenant     owner      owner      owner      ok
revoked                 | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
rotated                 | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
rotated, grace over     | expired    expired    expired    expired    expired    expired    expired    expired    expired    expired
rotated, no grace       | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
successor               | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
successor, no grace     | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
owner disabled          | owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off  owner-off
owner deleted           | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
cut by its owner        | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
inherits                | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
inherits, no list       | scope      scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
tenant acme             | scope      scope      scope      ok         tenant     tenant     owner      owner      owner      ok
owner project/p1        | scope      scope      scope      tenant     tenant     tenant     ok         owner      owner      ok
acme, p1, GET, path /t  | path       path       path       ok         tenant     tenant     owner      owner      owner      path
signed                  | ok         scope      scope      tenant     tenant     tenant     owner      owner      owner      ok
signed, revoked         | revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked    revoked
(unknown)               | unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown
(admin key)             | unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown    unknown
`,
  // How the key is presented, all with `GET /v1/orders`.
  `
                        | (apikey)   (header)   (basic)    (user)   (param)    (cookie)   (twice)    (two)  (mistyped)
no scopes               | scope      scope      scope      unknown  scope      scope      scope      two    mistyped
orders:read             | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
orders:write            | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
billing:read            | scope      scope      scope      unknown  scope      scope      scope      two    mistyped
both reads              | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
orders:*                | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
every scope             | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
admin:all               | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
path /v1                | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
path /v1/orders         | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
path =/v1/orders        | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
two paths               | path       path       path       unknown  path       path       path       two    mistyped
method GET              | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
from 127.0.0.1          | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
from 10.0.0.0/8         | address    address    address    unknown  address    address    address    two    mistyped
used up                 | rate       rate       rate       unknown  rate       rate       rate       two    mistyped
not yet                 | early      early      early      unknown  early      early      early      two    mistyped
expired                 | expired    expired    expired    unknown  expired    expired    expired    two    mistyped
disabled                | disabled   disabled   disabled   unknown  disabled   disabled   disabled   two    mistyped
enabled again           | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
revoked                 | revoked    revoked    revoked    unknown  revoked    revoked    revoked    two    mistyped
rotated                 | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
rotated, grace over     | expired    expired    expired    unknown  expired    expired    expired    two    mistyped
rotated, no grace       | revoked    revoked    revoked    unknown  revoked    revoked    revoked    two    mistyped
successor               | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
successor, no grace     | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
owner disabled          | owner-off  owner-off  owner-off  unknown  owner-off  owner-off  owner-off  two    mistyped
owner deleted           | revoked    revoked    revoked    unknown  revoked    revoked    revoked    two    mistyped
cut by its owner        | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
inherits                | ok         ok         ok         unknown  ok         ok         ok         two    mistyped
inherits, no list       | scope      scope      scope      unknown  scope      scope      scope      two    mistyped
tenant acme             | scope      scope      scope      unknown  scope      scope      scope      two    mistyped
owner project/p1        | scope      scope      scope      unknown  scope      scope      scope      two    mistyped
acme, p1, GET, path /t  | path       path       path       unknown  path       path       path       two    mistyped
signed                  | ok         ok         ok         unknown  ok         ok         ok         two    unknown
signed, revoked         | revoked    revoked    revoked    unknown  revoked    revoked    revoked    two    unknown
(unknown)               | unknown    unknown    unknown    unknown  unknown    unknown    unknown    two    mistyped
(admin key)             | unknown    unknown    unknown    unknown  unknown    unknown    unknown    two    mistyped
`,
  // What is answered before a key is looked at, whichever it is.
  `
                        | (no-key)  (public)  (PUBLIC)  (closed)  (CLOSED)  (nowhere)  (broken)  (//)       (%2f)
(each)                  | no-key    public    closed    closed    closed    closed     broken    ambiguous  ambiguous
`,
];

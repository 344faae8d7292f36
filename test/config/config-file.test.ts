import { describe, expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.ts";

/** A list of ten aliases to a list of ten aliases, and so on: 10,000 entries when written out. */
const BOMB = ["a: &a [x, x, x, x, x, x, x, x, x, x]", "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]"]
  .concat("c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]", "d: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]")
  .join("\n");

describe("a problem in the file names its line, key, value and bound", () => {
  test.each<[what: string, source: string, problems: string[]]>([
    ["a typo", "mode: all\n\ndatabse: x\n", ['k.yaml:3: unknown key "databse" (did you mean "database"?)']],
    ["a typo in a section", "log: { levl: info }", ['k.yaml:1: unknown key "log.levl" (did you mean "log.level"?)']],
    ["a key like no other", "colour: red", ['k.yaml:1: unknown key "colour"']],
    [
      "a key outside its section",
      "\nmax_keys: 5",
      ['k.yaml:2: unknown key "max_keys" (did you mean "max_keys" below "cache"?)'],
    ],
    ["a path for a key", "log.level: info", ['k.yaml:1: unknown key "log.level" (did you mean "level" below "log"?)']],
    ["a key of another kind", "1: 2", ['k.yaml:1: unknown key "1"']],
    ["a key that objects have", "__proto__: { mode: all }", ['k.yaml:1: unknown key "__proto__"']],
    ["a number too small", "cache:\n  max_keys: 0", ["k.yaml:2: cache.max_keys 0 must be >= 1 and <= 10000000"]],
    ["a number too large", "check_threads: 65", ["k.yaml:1: check_threads 65 must be >= 1 and <= 64"]],
    ["a fraction", "check_threads: 1.5", ["k.yaml:1: check_threads 1.5 must be a whole number >= 1 and <= 64"]],
    [
      "an endless number",
      "check_threads: .inf",
      ["k.yaml:1: check_threads Infinity must be a whole number >= 1 and <= 64"],
    ],
    [
      "text for a number",
      "check_threads: many",
      ['k.yaml:1: check_threads "many" must be a whole number >= 1 and <= 64'],
    ],
    ["a quoted number", 'check_threads: "2"', ['k.yaml:1: check_threads "2" must be a whole number >= 1 and <= 64']],
    ["a number for text", "realm: 5", ["k.yaml:1: realm 5 must be text, so put it in quotes"]],
    ["a truth value for text", "database: true", ["k.yaml:1: database true must be text, so put it in quotes"]],
    ["a list for text", "database: [a]", ["k.yaml:1: database (a list) must be text"]],
    ["nothing for text", "database:", ["k.yaml:1: database (empty) must be text"]],
    ["a database in memory", "database: ':memory:'", ['k.yaml:1: database ":memory:" must be the path of a file']],
    ["spaces that SQLite would drop", "database: ' a'", ['k.yaml:1: database " a" must be the path of a file']],
    ["another word", "mode: every", ['k.yaml:1: mode "every" must be one of all, authz, admin']],
    ["yes of YAML 1.1", "insecure_admin: yes", ['k.yaml:1: insecure_admin "yes" must be true or false']],
    ["a long wait", "shutdown_delay: 11m", ['k.yaml:1: shutdown_delay "11m" must be >= 0s and <= 10m']],
    ["no answer", "www_authenticate: never", ['k.yaml:1: www_authenticate "never" must be one of on, off']],
    ["a truth value for a word", "www_authenticate: true", ["k.yaml:1: www_authenticate true must be one of on, off"]],
    ["a long warning", "expiry_warning: 366d", ['k.yaml:1: expiry_warning "366d" must be >= 0s and <= 365d']],
    [
      "a warning that never ends",
      "expiry_warning: never",
      ['k.yaml:1: expiry_warning "never" must be a duration such as 600, 500ms or 10m, >= 0s and <= 365d'],
    ],
    ["a wait in numbers", "shutdown_timeout: 3601", ["k.yaml:1: shutdown_timeout 3601 must be >= 1s and <= 1h"]],
    [
      "no duration",
      "shutdown_delay: soon",
      ['k.yaml:1: shutdown_delay "soon" must be a duration such as 600, 500ms or 10m, >= 0s and <= 10m'],
    ],
    ["a port alone", "listen:\n  authz: 9000", ["k.yaml:2: listen.authz 9000 must be host:port, unix:PATH or off"]],
    [
      "a port out of range",
      "listen: { ops: '[::1]:65536' }",
      ['k.yaml:1: listen.ops "[::1]:65536" must have a port >= 0 and <= 65535'],
    ],
    [
      "a local socket on TCP",
      "listen: { admin_local: 127.0.0.1:1 }",
      ['k.yaml:1: listen.admin_local "127.0.0.1:1" must be unix:PATH or off'],
    ],
    [
      "a section that is none",
      "listen: 9000",
      ["k.yaml:1: listen 9000 must be a mapping with the keys authz, forward_auth, admin, admin_local, ops"],
    ],
    [
      "a realm that ends its quotes",
      `realm: 'a"b'`,
      [String.raw`k.yaml:1: realm "a\"b" must be 1 to 64 letters, digits, spaces, ".", "_" or "-"`],
    ],
    [
      "a long value",
      `realm: ${"a".repeat(65)}`,
      [`k.yaml:1: realm "${"a".repeat(60)}…" must be 1 to 64 letters, digits, spaces, ".", "_" or "-"`],
    ],
    [
      "a secret",
      "admin_key: abc",
      ["k.yaml:1: admin_key is a secret: set KEYWARD_ADMIN_KEY or KEYWARD_ADMIN_KEY_FILE instead"],
    ],
    ["a list for the file", "- mode: all", ["k.yaml:1: the file (a list) must be a mapping"]],
    ["a key twice", "mode: all\nlog: {}\nmode: authz", ['k.yaml:3: key "mode" occurs twice']],
    ["a key twice in a section", "log:\n  level: info\n  'level': warn", ['k.yaml:3: key "level" occurs twice']],
    ["a tab for indentation", "listen:\n\tauthz: off", ["k.yaml:2: Tabs are not allowed as indentation"]],
    [
      "a second document",
      "mode: all\n---\nmode: authz",
      ["k.yaml:2: a second document begins here, but only one can be read"],
    ],
    [
      "an unknown tag",
      "mode: !env X",
      ["k.yaml:1: Unresolved tag: !env", 'k.yaml:1: mode "X" must be one of all, authz, admin'],
    ],
    [
      "an unknown alias",
      "mode: all\nrealm: *name",
      ["k.yaml:2: Unresolved alias (the anchor must be set before the alias): name"],
    ],
    ["aliases of aliases", BOMB, ["k.yaml:2: Excessive alias count indicates a resource exhaustion attack"]],
    ["routes that are no list", "routes: { path: / }", ["k.yaml:1: routes (a mapping) must be a list"]],
    ["empty routes", "mode: all\nroutes:\n", ["k.yaml:2: routes (empty) must be a list"]],
    [
      "a route that is none",
      "routes:\n  - { path: /, access: public }\n  - /b",
      ['k.yaml:3: routes[1] "/b" must be a mapping'],
    ],
    ["a route without path", "routes:\n  - access: public", ["k.yaml:2: routes[0] has no path"]],
    [
      "a typo in a route",
      "routes:\n  - path: /\n    acess: deny",
      ['k.yaml:3: unknown key "acess" in routes[0] (did you mean "access"?)'],
    ],
    [
      "one method for a list",
      "routes:\n  - path: /\n    methods: GET",
      ['k.yaml:3: routes[0].methods "GET" must be a list'],
    ],
    [
      "a number for a scope",
      "routes:\n  - path: /\n    scopes:\n      - a\n      - 1",
      ["k.yaml:5: routes[0].scopes[1] 1 must be text, so put it in quotes"],
    ],
    [
      "another access",
      "routes:\n  - path: /\n    access: open",
      ['k.yaml:3: routes[0].access "open" must be one of public, authenticated, deny'],
    ],
    [
      "another match",
      "routes:\n  - path: /\n    match: one",
      ['k.yaml:3: routes[0].match "one" must be one of any, all'],
    ],
    [
      "everything at once",
      "mode: x\nmode: y\nfoo: 1\nrealm: 2",
      [
        'k.yaml:2: key "mode" occurs twice',
        'k.yaml:2: mode "y" must be one of all, authz, admin',
        'k.yaml:3: unknown key "foo"',
        "k.yaml:4: realm 2 must be text, so put it in quotes",
      ],
    ],
  ])("%s", (_, source, problems) => {
    expect(readConfigFile("k.yaml", source).problems).toEqual(problems);
  });
});

test.each(["", "# nothing yet\n", "---\n", "listen:\n  # authz: off\nlog: {}\n"])(
  "%j is a file that sets nothing",
  (source) => {
    const { values, structures, problems } = readConfigFile("k.yaml", source);
    expect({ values: [...values], structures, problems }).toEqual({ values: [], structures: {}, problems: [] });
  },
);

test("values and routes are read with their lines, through aliases as well", () => {
  const file = readConfigFile(
    "k.yaml",
    "shutdown_delay: 7\nlisten:\n  authz: off\nroutes:\n  - { path: /a, scopes: &s [x, y] }\n  - path: /b\n    scopes: *s\n",
  );
  expect(file.problems).toEqual([]);
  expect(Object.fromEntries(file.values)).toEqual({
    shutdown_delay: { value: 7_000, origin: { kind: "file", file: "k.yaml", line: 1 } },
    "listen.authz": { value: undefined, origin: { kind: "file", file: "k.yaml", line: 3 } },
  });
  expect(file.structures.routes).toEqual([
    { path: "/a", scopes: ["x", "y"] },
    { path: "/b", scopes: ["x", "y"] },
  ]);
  expect(file.structureOrigin(["routes"])).toEqual({ kind: "file", file: "k.yaml", line: 4 });
  expect(file.structureOrigin(["routes", 1, "scopes"])).toEqual({ kind: "file", file: "k.yaml", line: 7 });
});

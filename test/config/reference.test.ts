import { expect, test } from "vitest";
import { renderSettingsTable } from "../../src/config/reference.ts";
import { SETTING_KEYS } from "../../src/config/settings.ts";

test("the table has one row for each setting, the file, the three keys and the five structures", () => {
  const lines = renderSettingsTable().trimEnd().split("\n");
  expect(lines).toHaveLength(2 + SETTING_KEYS.length + 9);
  const rows = [
    "| `check_threads` | `--check-threads`, `KEYWARD_CHECK_THREADS` | `1` | >= 1 and <= 64 | How many threads answer checks. Each has a cache of its own, so that more of them cost memory. Needs a restart. |",
    "| `www_authenticate` | `--www-authenticate`, `KEYWARD_WWW_AUTHENTICATE` | `on` | one of on, off | Whether a denial that another credential could mend carries `WWW-Authenticate`. RFC 9110 asks for it; `off` keeps browsers from asking people for a password. |",
    "| `expiry_warning` | `--expiry-warning`, `KEYWARD_EXPIRY_WARNING` | `7d` | >= 0s and <= 365d | How long before a key's end its answers carry `Sunset` and `x-keyward-key-expires-in`. Whoever uses the key learns of it in time; 0 says nothing. |",
    "| `single_key` | `--single-key` | `false` | true or false | Serves checks of one key that has every scope and is kept in memory: no database, no admin API. Enough for a trial or one caller; `KEYWARD_SINGLE_KEY` holds the key itself. Needs a restart. |",
    "| `credentials` | file only | `bearer`, `scheme` ApiKey, `header` x-api-key | a list of `from`, `name`, `username` | Where a key may be presented, and in which of them it is looked for. |",
    "| `routes` | file only | `[]` | a list of `path`, `host`, `methods`, `access`, `scopes`, `match`, `tenant`, `owner`, `forward_credential`, `stale` | What each request needs; the first that matches wins. |",
    "| `scopes` | file only | unset | a mapping of scopes to `description`, `implies` | The scopes there are, and which come with others. Unset: any text of the form of a scope is one. |",
    "| `tenants` | file only | `{}` | a mapping of tenants to `grantable_scopes`, `prefix` | What an admin key that is bound to a tenant may grant there, and what the tenant's new keys begin with. Unset: nothing, and `kw`. |",
  ];
  expect(lines).toEqual(expect.arrayContaining(rows));
});

test("every row has five cells", () => {
  const widths = renderSettingsTable()
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/(?<!\\)\|/).length - 2);
  expect(new Set(widths)).toEqual(new Set([5]));
});

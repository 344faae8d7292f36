import type { SettingKey, Settings, SettingValues } from "./settings.ts";
import { readTlsFiles, type TlsFiles } from "./tls-files.ts";
import { TLS_LISTENERS, type TlsListener } from "./tls-listeners.ts";

/** The settings of one listener's TLS, by what they name. */
const SETTING_OF = { cert: "cert", key: "key", clientCa: "client_ca" } as const satisfies Record<
  keyof TlsFiles,
  string
>;

/** The files of each listener that is to speak TLS, as they are named: of those that have both certificate and key. */
export function tlsFilesIn(values: SettingValues): Settings["tls"] {
  const found: { [Listener in TlsListener]?: TlsFiles } = {};
  for (const listener of TLS_LISTENERS) {
    const { [`tls.${listener}.cert` as const]: cert, [`tls.${listener}.key` as const]: key } = values;
    if (cert === undefined || key === undefined) continue;
    found[listener] = { cert, key, clientCa: values[`tls.${listener}.client_ca`] };
  }
  return found;
}

/**
 * Judges the TLS of the listeners that are started, their files included, whose paths start from `cwd`. `describe` names a setting with its value.
 */
export function judgeTls(
  values: SettingValues,
  started: readonly string[],
  describe: (key: SettingKey) => string,
  cwd: string,
): { readonly problems: readonly string[]; readonly warnings: readonly string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const listener of TLS_LISTENERS) {
    if (!started.includes(`listen.${listener}`)) continue;
    problems.push(...incomplete(values, listener, describe));
    const files = tlsFilesIn(values)[listener];
    if (files === undefined) continue;
    const reading = readTlsFiles(files, cwd);
    if ("problems" in reading) {
      for (const { file, problem } of reading.problems) {
        problems.push(`${describe(`tls.${listener}.${SETTING_OF[file]}`)} ${problem}`);
      }
    } else {
      const untimely = untimelyOf(reading.value, Date.now());
      if (untimely !== undefined) warnings.push(`${describe(`tls.${listener}.cert`)} ${untimely}`);
    }
  }
  return { problems, warnings };
}

/** Why a certificate is not valid at a time, as a phrase that follows its name; undefined: it is. */
export function untimelyOf(
  { validFromMs, validToMs }: { readonly validFromMs: number; readonly validToMs: number },
  nowMs: number,
): string | undefined {
  const day = (ms: number) => new Date(ms).toISOString();
  if (nowMs > validToMs) return `has expired on ${day(validToMs)}; clients refuse it`;
  return nowMs < validFromMs ? `is not valid before ${day(validFromMs)}; until then clients refuse it` : undefined;
}

function incomplete(values: SettingValues, listener: TlsListener, describe: (key: SettingKey) => string): string[] {
  const [cert, key, clientCa] = [`tls.${listener}.cert`, `tls.${listener}.key`, `tls.${listener}.client_ca`] as const;
  if (values[cert] !== undefined) return values[key] === undefined ? [`${describe(cert)} needs ${key} beside it`] : [];
  return [key, clientCa].flatMap((given) =>
    values[given] === undefined ? [] : [`${describe(given)} needs ${cert} beside it`],
  );
}

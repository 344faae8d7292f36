import type { Settings } from "../config/settings.ts";
import { untimelyOf } from "../config/tls.ts";
import { readTlsFiles, type TlsFiles, type TlsMaterial } from "../config/tls-files.ts";
import type { TlsListener } from "../config/tls-listeners.ts";
import { watchFiles } from "../config/watch-files.ts";
import type { Log } from "../observe/log.ts";
import type { MetricCells } from "../observe/metrics/cells.ts";
import { StartError } from "./start-error.ts";

/** The certificates of the listeners, of which files may bring others at any time. */
export interface Certificates {
  /** What a listener serves at the moment; undefined: it speaks no TLS. */
  of(listener: TlsListener): TlsMaterial | undefined;
  /** Calls `onRenewed` again for what was renewed so far. */
  repeat(): void;
  stop(): void;
}

/**
 * Reads the certificates of the listeners, watches their files, and calls `onRenewed` with what is there anew. A renewal
 * that cannot be served changes nothing, and is told and counted. Throws StartError where a file cannot be used.
 */
export async function openCertificates(
  tls: Settings["tls"],
  onRenewed: (listener: TlsListener, material: TlsMaterial) => void,
  cells: MetricCells,
  log: Log,
): Promise<Certificates> {
  const files = Object.entries(tls) as [TlsListener, TlsFiles][];
  const current = new Map<TlsListener, TlsMaterial>();
  const renewed = new Set<TlsListener>();

  const take = (listener: TlsListener, material: TlsMaterial) => {
    current.set(listener, material);
    const expiry = cells.at("keyward_tls_certificate_expiry_timestamp_seconds", { listener });
    expiry.set(Math.floor(material.validToMs / 1000));
  };
  const renew = (listener: TlsListener, paths: TlsFiles) => {
    const reading = readTlsFiles(paths);
    const result = "problems" in reading ? "refused" : "applied";
    cells.at("keyward_tls_renewals_total", { listener, result }).add();
    if ("problems" in reading) {
      const problems = reading.problems.map(({ file, problem }) => `${paths[file]} ${problem}`);
      const message = `the renewed certificate of listen.${listener} cannot be served; the one before it goes on`;
      return log("error", message, { problems });
    }
    renewed.add(listener);
    take(listener, reading.value);
    onRenewed(listener, reading.value);
    tellRenewed(listener, reading.value, log);
  };

  // Watched first: what changes after it was read is told.
  const paths = files.flatMap(([, paths]) => pathsOf(paths));
  const watch =
    paths.length === 0
      ? undefined
      : await watchFiles(paths, (changed) => {
          for (const [listener, own] of files) {
            if (pathsOf(own).some((path) => changed.includes(path))) renew(listener, own);
          }
        });
  for (const [listener, own] of files) {
    const reading = readTlsFiles(own);
    if ("value" in reading) {
      take(listener, reading.value);
      continue;
    }
    watch?.stop();
    throw new StartError(reading.problems.map(({ file, problem }) => `${own[file]} ${problem}`).join("; "));
  }
  return {
    of: (listener) => current.get(listener),
    repeat() {
      for (const [listener, material] of current) if (renewed.has(listener)) onRenewed(listener, material);
    },
    stop: () => watch?.stop(),
  };
}

/** The files of the listeners that this program starts. Those of others it need not be able to read. */
export function tlsOfStarted({ mode, listen, tls }: Settings): Settings["tls"] {
  return {
    ...(tls.authz && listen.authz && mode !== "admin" && { authz: tls.authz }),
    ...(tls.forward_auth && listen.forwardAuth && mode !== "admin" && { forward_auth: tls.forward_auth }),
    ...(tls.admin && listen.admin && mode !== "authz" && { admin: tls.admin }),
    ...(tls.ops && listen.ops && { ops: tls.ops }),
  };
}

function tellRenewed(listener: TlsListener, material: TlsMaterial, log: Log): void {
  const untimely = untimelyOf(material, Date.now());
  const message = `the certificate of listen.${listener} was renewed`;
  log(untimely ? "warn" : "info", untimely ? `${message}, but it ${untimely}` : message, {
    valid_to: new Date(material.validToMs).toISOString(),
  });
}

function pathsOf({ cert, key, clientCa }: TlsFiles): string[] {
  return clientCa === undefined ? [cert, key] : [cert, key, clientCa];
}

/**
 * For each alert, series of one value a minute under which it fires at the tenth minute, and one step beside them under which it
 * does not. `_` is a minute without a value.
 */
export const ALERT_CASES: Readonly<
  Record<string, { readonly fires: Readonly<Record<string, string>>; readonly quiet: Readonly<Record<string, string>> }>
> = {
  ...Object.fromEntries(
    [
      ["KeywardKeyUsedFromNewNetwork", "key_new_network"],
      ["KeywardKeyUsedTooOften", "key_request_rate"],
      ["KeywardKeyDeniedInBurst", "key_denial_burst"],
      ["KeywardRevokedKeyUsed", "revoked_key_used"],
    ].map(([alert, event]) => {
      const series = `keyward_alerts_total{event="${event}"}`;
      return [alert, { fires: { [series]: "0x5 1x20" }, quiet: { [series]: "1x25" } }];
    }),
  ),
  KeywardCertificateEnds: beside("keyward_tls_certificate_expiry_timestamp_seconds", "605000x20", "605401x20"),
  KeywardCertificateNotRenewed: beside('keyward_tls_renewals_total{result="refused"}', "0x5 1x20", "1x25"),
  KeywardAdminLoginsFail: beside('keyward_admin_login_failures_total{reason="token"}', "0+6x20", "0+5x20"),
  KeywardUsageNotWrittenDown: beside('keyward_usage_behind_seconds{thread="0"}', "61x20", "60x20"),
  KeywardUsageUncounted: beside('keyward_usage_uncounted_total{what="use"}', "0x5 1x20", "1x25"),
  KeywardLogLinesDropped: beside('keyward_log_dropped_lines_total{where="output"}', "0x5 1x20", "1x25"),
  KeywardInvalidKeys: beside('keyward_checks_total{reason="unknown_key"}', "0+660x20", "0+600x20"),
  KeywardChecksFail: beside('keyward_checks_total{reason="internal_error"}', "0+1x20", "1x20"),
  KeywardThreadRestarts: beside('keyward_thread_restarts_total{thread="check"}', "0x5 1x20", "1x25"),
  KeywardConfigNotReloaded: beside("keyward_config_last_reload_successful", "0x20", "1x20"),
  KeywardThreadStandsStill: beside('keyward_thread_heartbeat_timestamp_seconds{thread="0"}', "0x20", "0+60x20"),
  KeywardStoreStale: beside('keyward_store_stale_seconds{thread="0"}', "11x20", "10x20"),
  KeywardChangesLate: {
    fires: {
      'keyward_change_enforcement_seconds_bucket{le="1"}': "0+1x20",
      keyward_change_enforcement_seconds_count: "0+2x20",
    },
    quiet: {
      'keyward_change_enforcement_seconds_bucket{le="1"}': "0+2x20",
      keyward_change_enforcement_seconds_count: "0+2x20",
    },
  },
  KeywardChecksSlow: {
    fires: {
      'keyward_check_duration_seconds_bucket{le="0.02"}': "0+98x20",
      'keyward_check_duration_seconds_bucket{le="0.1"}': "0+100x20",
      'keyward_check_duration_seconds_bucket{le="+Inf"}': "0+100x20",
    },
    quiet: {
      'keyward_check_duration_seconds_bucket{le="0.02"}': "0+100x20",
      'keyward_check_duration_seconds_bucket{le="0.1"}': "0+100x20",
      'keyward_check_duration_seconds_bucket{le="+Inf"}': "0+100x20",
    },
  },
  KeywardCacheTooSmall: beside('keyward_cache_evictions_total{cache="known"}', "0+660x40", "0+600x40"),
  KeywardDiskNearlyFull: beside("keyward_database_disk_free_bytes", "199999999x20", "200000000x20"),
  KeywardWalGrows: beside('keyward_database_bytes{file="wal"}', "64000001x40", "64000000x40"),
};

function beside(series: string, fires: string, quiet: string) {
  return { fires: { [series]: fires }, quiet: { [series]: quiet } };
}

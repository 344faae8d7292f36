import type { AdminHandler } from "../admin/api.ts";
import type { Settings } from "../config/settings.ts";
import type { AdminPorts, AdminSide } from "./admin-side.ts";

/**
 * The admin API, whose code is loaded for the first request that comes to any of its listeners: it is more than all the rest
 * of the program, and a start need not wait for it, nor a program hold it that only answers checks. Where it cannot be
 * loaded, since the installation is gone, the thread dies of that.
 */
export function createAdminOnDemand(settings: Settings, ports: AdminPorts): AdminSide {
  let current = settings;
  let side: AdminSide | undefined;
  const load = async () => {
    const { createAdminSide } = await import("./admin-side.ts");
    side = createAdminSide(current, ports);
    return side;
  };
  let loading: ReturnType<typeof load> | undefined;
  const answer =
    (listener: "network" | "local"): AdminHandler =>
    (request, response) => {
      if (side !== undefined) return side[listener](request, response);
      loading ??= load();
      void loading.then((loaded) => loaded[listener](request, response));
    };
  return {
    network: answer("network"),
    local: answer("local"),
    reload(settings) {
      current = settings;
      side?.reload(settings);
    },
  };
}

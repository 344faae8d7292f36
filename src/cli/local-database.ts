import { connect } from "node:net";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { ConnectionFlags } from "./admin-connection.ts";

/** Whether a program answers on the local admin socket of a configuration. */
export async function isServed({ listen }: Pick<Settings, "listen">): Promise<boolean> {
  return listen.adminLocal !== undefined && (await isAnswered(listen.adminLocal.path));
}

/** The configuration that those flags, the environment and the file make. */
export function localSettings({ config, database, listenAdminLocal }: ConnectionFlags): Settings {
  const flags = { config, database, "listen-admin-local": listenAdminLocal };
  return loadSettings({ flags, env: process.env, cwd: process.cwd() }).settings;
}

function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

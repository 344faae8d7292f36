import type { Settings } from "../../config/settings.ts";
import type { Log } from "../../observe/log.ts";
import type { Sampling } from "../../observe/traces/settings.ts";
import { shareAddress } from "../listeners/share-address.ts";
import { type Board, NOT_FOLLOWING, publish } from "./board.ts";
import { type SupervisedThread, superviseThread } from "./supervised-thread.ts";
import type { CheckThreadData, ThreadData } from "./thread-messages.ts";
import { type OtherReport, startThread } from "./worker.ts";

/** The threads of a program beside main, as far as they have been started. */
export interface ProgramThreads {
  writer?: SupervisedThread;
  readonly check: SupervisedThread[];
}

/** The names of the threads, in the log. */
export const WRITER = "writer";
export const checkName = (thread: number) => `check ${thread}`;

/** Starts the writer. `data` is asked again each time that it is replaced. */
export async function startWriter(
  data: () => ThreadData,
  log: Log,
  heard: (report: OtherReport) => void,
  onReplaced: () => void,
): Promise<SupervisedThread> {
  let { listen } = data().settings;
  const own = (): ThreadData => ({ ...data(), settings: { ...data().settings, listen } });
  const start = () => startThread("writer", own(), log, heard);
  const thread = await superviseThread({ name: WRITER, start, onDeath: () => {}, onReplaced, log });
  // A port that was left to the system is now known, and a thread that replaces this one has to take the same.
  listen = { ...listen, admin: thread.addresses.admin };
  return thread;
}

/** Starts the check threads one after the other: the first may be given a port that the others share. `data` as above. */
export async function* startCheckThreads(
  data: () => ThreadData,
  board: Board,
  sampling: Sampling | undefined,
  log: Log,
  heard: (thread: number, report: OtherReport) => void,
  onGivenUp: (why: string) => void,
): AsyncGenerator<SupervisedThread> {
  const { settings, checkThreads } = data();
  const shared = checkThreads > 1;
  let { authz, forwardAuth } = settings.listen;
  if (shared) {
    authz &&= await shareAddress(authz, "listen.authz", settings);
    forwardAuth &&= await shareAddress(forwardAuth, "listen.forward_auth", settings);
  }
  for (let index = 0; index < checkThreads; index++) {
    const own = (): CheckThreadData => {
      return { ...data(), settings: withoutSecrets(data().settings), index, sampling, authz, forwardAuth, shared };
    };
    const onDeath = () => {
      Atomics.store(board.serving, index, 0);
      Atomics.store(board.usageKnownUntil, index, 0n);
      Atomics.store(board.staleSince, index, 0n);
      Atomics.store(board.revisions, index, NOT_FOLLOWING);
      publish(board.applied, index, NOT_FOLLOWING);
    };
    const thread = await superviseThread({
      name: checkName(index),
      start: () => startThread("check", own(), log, (report) => heard(index, report)),
      onDeath,
      onGivenUp,
      log,
    });
    // As above, and the next check thread shares them.
    authz = thread.addresses.authz ?? authz;
    forwardAuth = thread.addresses.forward_auth ?? forwardAuth;
    yield thread;
  }
}

/** A check needs no secret of the administrators. */
export function withoutSecrets({ adminKey: _, encryptionKey: __, ...settings }: Settings): CheckThreadData["settings"] {
  return settings;
}

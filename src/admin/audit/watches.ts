import { Code } from "@connectrpc/connect";
import type { MetricCells } from "../../observe/metrics/cells.ts";
import { apiError } from "../errors.ts";

/**
 * How many watches of the audit trail may be open at a time. Each asks the database four times a second, in the thread that
 * makes every change: this many take it about one hundredth of a core, and no more people look at a trail at a time.
 */
export const MAX_WATCHES = 64;

/** The watches that are open, on all listeners of the admin API. */
export interface Watches {
  /** Takes a place, and returns what gives it back. Throws RESOURCE_EXHAUSTED where there is none. */
  begin(): () => void;
}

export function createWatches(cells: MetricCells): Watches {
  const told = cells.at("keyward_admin_watches");
  let open = 0;
  const set = (count: number) => {
    open = count;
    told.set(count);
  };
  set(0);
  return {
    begin() {
      if (open >= MAX_WATCHES) {
        const message = `${MAX_WATCHES} watches of the audit trail are open, and no more can be; end one, or list events instead`;
        throw apiError(Code.ResourceExhausted, "TOO_MANY_WATCHES", message, { max: String(MAX_WATCHES) });
      }
      set(open + 1);
      return () => set(open - 1);
    },
  };
}

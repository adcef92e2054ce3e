import type { Logger } from 'pino';
import type { PartloopError } from '../domain/base/errors.js';
import type { Occasion } from '../domain/notify/occasion.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

/** The dependencies of activities; a worker creates them once, a test passes its own. */
export interface ActivityDeps {
  store: ObjectStore;
  /** Local scratch and cache directory (`.partloop/` by default). */
  home: string;
  /** The checkout or installation: `trainer/`, `.venv` and lock files are in it. */
  root: string;
  log: Logger;
  /** Where people open the board, without a slash at its end; absent if nobody said. */
  board?: string | undefined;
  /** Tells somebody outside what happened; it never throws, and takes half a minute at most. */
  notify?(occasions: readonly Occasion[]): Promise<void>;
  /**
   * Called if a thread of this process hangs in native code, which only the end of the process stops. The worker takes
   * no more work, lets its activities report, and ends; its supervisor starts it again.
   */
  retire?(reason: PartloopError): void;
}

import type { Logger } from 'pino';
import type { PartloopError } from '../domain/base/errors.js';
import type { Occasion } from '../domain/notify/occasion.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';

/** What activities are built from; a worker puts it together once, a test passes its own. */
export interface ActivityDeps {
  store: ObjectStore;
  /** Local scratch and cache directory (`.partloop/` by default). */
  home: string;
  /** The checkout or installation: `trainer/`, `.venv` and lock files lie in it. */
  root: string;
  log: Logger;
  /** Tells somebody outside what happened; it never throws, and takes half a minute at most. */
  notify?(occasions: readonly Occasion[]): Promise<void>;
  /**
   * Called where a thread of this process hangs in native code, which nothing but the end of the process stops: its
   * worker takes no more work, lets the activities at hand report, and ends for its supervisor to start it anew.
   */
  retire?(reason: PartloopError): void;
}

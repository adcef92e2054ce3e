import type { Logger } from 'pino';
import type { ObjectStore } from '../storage/objectStore.js';

/** What activities are built from; a worker puts it together once, a test passes its own. */
export interface ActivityDeps {
  store: ObjectStore;
  /** Local scratch and cache directory (`.partloop/` by default). */
  home: string;
  /** The checkout or installation: `trainer/`, `.venv` and lock files lie in it. */
  root: string;
  log: Logger;
}

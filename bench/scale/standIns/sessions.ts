import { PartloopError } from '../../../domain/base/errors.js';
import type { openSessions as realOpenSessions } from '../../../inference/sessions/sessions.js';
import { Watchdog } from '../../../inference/watchdog.js';
import { DEFAULT_STALL_MS } from '../../../storage/pictures/helperProcess.js';

const unasked = (): Promise<never> =>
  Promise.reject(new PartloopError('internal', 'a session of the bench was asked about a picture'));

/** Opens no network. */
export const openSessions: typeof realOpenSessions = async (
  sessions,
  { taxonomy },
  watchdog = new Watchdog(DEFAULT_STALL_MS),
) => ({
  sessions: sessions ?? 2,
  size: 512,
  labelSize: 128,
  classes: taxonomy.classes.length,
  watchdog,
  analyse: unasked,
  look: unasked,
  close: () => Promise.resolve(),
});

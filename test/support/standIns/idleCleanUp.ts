import type { Activities } from '../../../activities/index.js';
import { pageOf } from '../../../domain/cleanup/requests.js';

/** A store without garbage. */
export const idleCleanUp: Pick<Activities, 'sweepStore' | 'tellFailedCleanUp'> = {
  sweepStore: async () => ({
    page: pageOf({ amounts: [], running: [], unreadable: [], failed: [], noUploads: null }),
    next: null,
  }),
  tellFailedCleanUp: async () => undefined,
};

import type { Activities } from '../../../activities/index.js';

/** Inboxes with nothing in them. */
export const idleIngest: Pick<Activities, 'startIngests' | 'lookAtInbox' | 'settleDrop' | 'tellLoops'> = {
  startIngests: async () => ({ ingests: [] }),
  lookAtInbox: async () => ({ drops: [], last: null }),
  settleDrop: async () => ({ kind: 'incomplete' }),
  tellLoops: async () => undefined,
};

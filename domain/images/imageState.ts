import type { IndexRow } from '../tables.js';

/** What decides whether a pool's image may be trained on. */
export type ImageState = Pick<IndexRow, 'split' | 'region' | 'labelRevision'>;

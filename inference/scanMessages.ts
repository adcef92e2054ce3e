import type { ImageAnalysis } from '../domain/mislabel/index.js';
import type { Tags } from '../domain/tags.js';
import type { Taxonomy } from '../domain/taxonomy.js';

/** What a thread is made with. */
export interface ThreadSetup {
  modelPath: string;
  name: string;
  threads: number;
  /** Where the network runs; `cpu` where left out. */
  provider?: 'cpu' | 'cuda';
  taxonomy: Taxonomy;
}

/**
 * One picture for a thread: `label` [L, L] on the grid on which labels are compared, of which the top left
 * `width` × `height` is the picture; null asks for the mask. `injectSeed` asks for the calibration's copies as well.
 */
export interface ThreadJob {
  id: number;
  rgb: Uint8Array;
  label: Uint8Array | null;
  width: number;
  height: number;
  tags: Tags;
  injectSeed: string | null;
}

/** What comes back: the analysis where a label was given, else the mask [S, S]. */
export type ThreadAnswer =
  /** Sides in pixels of the square canvas that the model takes, and of the grid on which labels are compared. */
  | { type: 'ready'; size: number; labelSize: number }
  | { type: 'refused'; message: string }
  | { type: 'analysis'; id: number; analysis: ImageAnalysis }
  | { type: 'mask'; id: number; mask: Uint8Array }
  | { type: 'failed'; id: number; message: string };

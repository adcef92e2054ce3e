import type { ImageAnalysis } from '../../domain/scan/index.js';
import type { Tags } from '../../domain/tags.js';
import type { Taxonomy } from '../../domain/taxonomy.js';

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
 * A label for a thread to hold against the picture on its canvas: `label` [L, L] on the grid on which labels are
 * compared, of which the top left `width` × `height` is the picture. `injectSeed` asks for the calibration's copies as
 * well.
 */
export interface LabelQuestion {
  label: Uint8Array;
  width: number;
  height: number;
  tags: Tags;
  injectSeed: string | null;
}

/** One picture for a thread; its pixels lie on the thread's canvas. Without a question it asks for the mask. */
export interface ThreadJob {
  id: number;
  /** Size in pixels of the picture on the canvas. */
  width: number;
  height: number;
  question: LabelQuestion | null;
}

/** What comes back: the analysis where a label was given, else the mask [S, S]. */
export type ThreadAnswer =
  /**
   * Sides in pixels of the square canvas that the model takes, and of the grid on which labels are compared; and the
   * canvas itself [S, S, 3], written by the pool between two jobs: megabytes made anew for every picture would keep the
   * garbage collector at work, which takes a tenth of a scan.
   */
  | { type: 'ready'; size: number; labelSize: number; canvas: SharedArrayBuffer }
  | { type: 'refused'; message: string }
  | { type: 'analysis'; id: number; analysis: ImageAnalysis }
  /** `surest`: 255 × the largest probability that any pixel of the picture has. */
  | { type: 'mask'; id: number; mask: Uint8Array; surest: number }
  /** The network answered, and its answer says nothing of this picture. */
  | { type: 'unusable'; id: number; message: string }
  | { type: 'failed'; id: number; message: string };

import type { ImageAnalysis } from '../../domain/scan/index.js';
import type { Tags } from '../../domain/tags.js';
import type { Taxonomy } from '../../domain/taxonomy.js';

/** The parameters of a thread. */
export interface ThreadSetup {
  modelPath: string;
  name: string;
  threads: number;
  /** Device of the network; `cpu` if omitted. */
  provider?: 'cpu' | 'cuda';
  taxonomy: Taxonomy;
}

/**
 * A label to compare with the picture on a thread's canvas: `label` [L, L] on the grid of comparison; its top left
 * `width` × `height` is the picture. `injectSeed` also asks for the calibration's copies.
 */
export interface LabelQuestion {
  label: Uint8Array;
  width: number;
  height: number;
  tags: Tags;
  injectSeed: string | null;
}

/** One picture for a thread; its pixels are on the thread's canvas. Without a question the answer is the mask. */
export interface ThreadJob {
  id: number;
  /** Size in pixels of the picture on the canvas. */
  width: number;
  height: number;
  question: LabelQuestion | null;
}

/** The answer: the analysis if a label was given, otherwise the mask [S, S]. */
export type ThreadAnswer =
  /**
   * Sides in pixels of the square canvas that the model takes, and of the grid on which labels are compared; and the
   * canvas itself [S, S, 3]. The pool writes it between two jobs: new megabytes for every picture would keep the
   * garbage collector busy, which takes a tenth of a scan.
   */
  | { type: 'ready'; size: number; labelSize: number; canvas: SharedArrayBuffer }
  | { type: 'refused'; message: string }
  | { type: 'analysis'; id: number; analysis: ImageAnalysis }
  /** `pMask`: 255 × the probability of each pixel's class; `surest`: the largest of them. */
  | { type: 'mask'; id: number; mask: Uint8Array; pMask: Uint8Array; surest: number }
  /** The network answered, but its answer cannot be used for this picture. */
  | { type: 'unusable'; id: number; message: string }
  | { type: 'failed'; id: number; message: string };

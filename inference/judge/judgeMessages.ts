import type { ImageAnalysis } from '../../domain/scan/index.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import type { PictureToJudge } from '../sessions/scanPipeline.js';

/** Requests to a judge process, one at a time. */
export type JudgeRequest =
  | { type: 'open'; setup: ThreadSetup }
  | { type: 'judge'; job: PictureToJudge }
  | { type: 'look' | 'predict'; name: string; image: Uint8Array };

/** A model's result for a picture without a label. */
export interface Sight {
  /** Label values that it finds. */
  classes: number[];
  /** 255 × the largest probability of a pixel. */
  surest: number;
}

/** The label value of each pixel of a picture as large as the network sees it, row by row. */
export interface Prediction {
  pixels: Uint8Array;
  width: number;
  height: number;
}

export type JudgeReply =
  | { type: 'ready' }
  | { type: 'judged'; analysis: ImageAnalysis | null; error: string | null; unusable: boolean }
  | { type: 'seen'; sight: Sight }
  | { type: 'predicted'; prediction: Prediction };

import type { Target } from '../target.js';
import { cocoImport } from './coco.js';
import { codecs } from './codecs.js';
import { masksImport } from './masks.js';
import { readers } from './readers.js';
import { reviewImports } from './review.js';
import { schemas } from './schemas.js';
import { verdictImport } from './verdicts.js';

/** All readers of outside data. */
export const TARGETS: readonly Target[] = [
  cocoImport,
  masksImport,
  ...reviewImports,
  verdictImport,
  ...readers,
  ...schemas,
  ...codecs,
];

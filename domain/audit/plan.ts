import { constant, OURS, type Source, valuesOf } from '../scan/constants.js';

/** From scans of the DSMLR photos on 2 cores. */
const PHOTOS_ON_TWO_CORES: Source = {
  kind: 'tuned',
  data: 'scans of 380 DSMLR photos on 2 cores with two folds at 256 pixels (docs/results/detection.md)',
  how: 'read off the times of the stages, and rounded up',
};

/** What the parts of an audit take beside the steps of the training. */
export const COSTS = valuesOf({
  foldSeconds: constant(40, 'seconds a fold', 'Start of the trainer, validation and export.', PHOTOS_ON_TWO_CORES),
  foldImageSeconds: constant(0.03, 'seconds an image', 'A fold fetches and reduces its images.', PHOTOS_ON_TWO_CORES),
  judgeSeconds: constant(0.16, 'core seconds an image', 'Reading and comparing, at any size.', PHOTOS_ON_TWO_CORES),
  judgePixelSeconds: constant(
    3.7e-6,
    'core seconds a pixel',
    'Network and comparison, by pixels of the square input.',
    PHOTOS_ON_TWO_CORES,
  ),
  endSeconds: constant(20, 'seconds', 'Trying the models, summing up, the report.', OURS),
  reserve: constant(0.1, 'share of the time', 'Kept for what nobody foresees.', OURS),
});

/** How long a fold should learn. */
export const LEARNING = valuesOf({
  batchSize: constant(8, 'images', 'Images per training iteration.', OURS),
  epochs: constant(25, 'passes', 'A fold should see each of its images so often.', {
    kind: 'convention',
    whose: "ours: the pool's defaults, 400 iterations of 12 images, for the 190 images of a fold of the DSMLR photos",
  }),
  fewest: constant(300, 'iterations', 'Fewer teach a network little, however few the images are.', OURS),
  most: constant(1_500, 'iterations', 'A larger picture is worth more than longer learning.', OURS),
  least: constant(60, 'iterations', 'A fold learns so long even if the time does not suffice.', OURS),
  longer: constant(2, 'times', 'Time that is left makes the training at most so much longer.', OURS),
});

/** From the cheapest to the dearest. */
const LEVELS: readonly { folds: number; imageSize: number }[] = [
  ...[96, 128, 160, 192, 224, 256].map((imageSize) => ({ folds: 2, imageSize })),
  { folds: 3, imageSize: 256 },
  { folds: 4, imageSize: 256 },
  { folds: 4, imageSize: 320 },
  { folds: 4, imageSize: 384 },
];
const SIZE_STEP = 32;

/** The facts that an audit is planned by. */
export interface AuditFacts {
  images: number;
  /** Longest side of the largest picture in pixels: no network needs to see more. */
  longestSide: number;
  /** Seconds that are left for folds, judging and the report. */
  seconds: number;
  /** Cores that judge. */
  cores: number;
  /** Seconds of a training step of `LEARNING.batchSize` images at `size` pixels. */
  pace: { seconds: number; size: number };
}

/** The settings of an audit's scan. */
export interface AuditPlan {
  folds: number;
  imageSize: number;
  iterations: number;
  batchSize: number;
  /** Seconds that it is expected to take. */
  seconds: number;
  /** Whether this is within the time given. */
  fits: boolean;
}

/**
 * The dearest folds and image size that can learn long enough in the time given; if none can, the cheapest, for as long
 * as the time suffices. What is left makes the training longer.
 */
export function planAudit(facts: AuditFacts): AuditPlan {
  const levels = LEVELS.map(({ folds, imageSize }) => ({
    folds: Math.max(2, Math.min(folds, facts.images)),
    imageSize: Math.min(imageSize, Math.max(SIZE_STEP, Math.ceil(facts.longestSide / SIZE_STEP) * SIZE_STEP)),
  }));
  const plans = levels.map((level) => planAt(level, facts));
  return plans.findLast(({ isEnough }) => isEnough)?.plan ?? (plans[0] as Planned).plan;
}

interface Planned {
  plan: AuditPlan;
  /** Whether the folds learn as long as they should. */
  isEnough: boolean;
}

function planAt({ folds, imageSize }: { folds: number; imageSize: number }, facts: AuditFacts): Planned {
  const { images, seconds: given, cores, pace } = facts;
  const pixels = imageSize ** 2;
  const step = (pace.seconds * pixels) / pace.size ** 2;
  const learned = (images * (folds - 1)) / folds;
  const wanted = Math.round(
    Math.min(LEARNING.most, Math.max(LEARNING.fewest, (LEARNING.epochs * learned) / LEARNING.batchSize)),
  );
  const judging = (images * (COSTS.judgeSeconds + COSTS.judgePixelSeconds * pixels)) / Math.max(1, cores);
  const fixed = folds * (COSTS.foldSeconds + COSTS.foldImageSeconds * learned) + judging + COSTS.endSeconds;
  const affordable = Math.floor((given * (1 - COSTS.reserve) - fixed) / (folds * step));
  const iterations = Math.max(LEARNING.least, Math.min(affordable, LEARNING.longer * wanted));
  const seconds = Math.ceil(fixed + folds * step * iterations);
  return {
    plan: { folds, imageSize, iterations, batchSize: LEARNING.batchSize, seconds, fits: seconds <= given },
    isEnough: affordable >= wanted,
  };
}

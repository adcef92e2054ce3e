import type { Problem } from '../base/failures/problems.js';
import { nearest } from '../base/nearest.js';
import type { LoopConfig, TrainConfig } from '../config.js';
import { BACKBONES } from '../train/backbones.js';

/**
 * Conflicts between settings: combinations that the trainer would refuse hours later, or in the words of a library.
 * They are not part of the schema, since stored configurations must stay readable.
 */
export function configConflicts({ train, tune, sample, chunkSize }: LoopConfig): Problem[] {
  const conflicts = [...trainConflicts(train)];
  if (sample.count !== null && sample.count > chunkSize) {
    conflicts.push({
      path: ['sample', 'count'],
      text: `${sample.count} images cannot be picked from a chunk of ${chunkSize} (\`chunkSize\`)`,
    });
  }
  const shortest = Math.round(train.iterations * tune.iterationShare) / tune.reduction ** (tune.rungs - 1);
  if (tune.enabled && shortest < 1) {
    conflicts.push({
      path: ['tune', 'rungs'],
      text: `${tune.rungs} lengths, each ${tune.reduction} times the one before, do not fit into ${tune.iterationShare} of ${train.iterations} iterations`,
    });
  }
  return conflicts;
}

function* trainConflicts(train: TrainConfig): Generator<Problem> {
  const at = (name: keyof TrainConfig, text: string): Problem => ({ path: ['train', name], text });
  if (!BACKBONES.includes(train.preset)) {
    const near = nearest(train.preset, BACKBONES);
    const meant =
      near === undefined ? 'efficientnet_lite0, swin_tiny, swin_large, or a timm name' : `did you mean ${near}?`;
    yield at('preset', `there is no backbone \`${train.preset}\` with maps at strides 4 to 32; ${meant}`);
    return;
  }
  const smallest = Math.min(train.imageSize, ...train.imageSizes);
  if (train.batchSize === 1 && smallest === SMALLEST_STRIDE && !train.freezeNorm && !hasLayerNorm(train.preset)) {
    yield at(
      'batchSize',
      `batch norm needs more than one value, and one image of ${smallest} pixels gives one; take 2 images or more, or 64 pixels or more, or set \`train.freezeNorm\` to true`,
    );
  }
  if (train.processes > train.batchSize)
    yield at('processes', `${train.processes} processes cannot share a batch of ${train.batchSize} images`);
  if (train.weights === 'package' && train.preset !== PACKAGED_PRESET) {
    yield at(
      'weights',
      `\`package\` holds weights of ${PACKAGED_PRESET} only, not of ${train.preset}; take \`hub\`, which downloads them, a file, or an s3:// URI`,
    );
  }
  if (train.schedule === 'cyclic' && train.cycles > 1 && train.cycles * 2 > train.iterations) {
    yield at(
      'cycles',
      `${train.cycles} cycles need at least ${train.cycles * 2} iterations, and \`train.iterations\` is ${train.iterations}`,
    );
  }
  if (train.imageSizes.length > train.iterations) {
    yield at(
      'imageSizes',
      `${train.imageSizes.length} sizes need as many iterations, and \`train.iterations\` is ${train.iterations}`,
    );
  }
}

/** Side of the picture area per value of the deepest map. */
const SMALLEST_STRIDE = 32;
/** The one backbone whose weights come with an installed package. */
const PACKAGED_PRESET = 'efficientnet_lite0';

/** Swin normalises over channels, so one value is enough. */
const hasLayerNorm = (preset: string): boolean => preset.startsWith('swin');

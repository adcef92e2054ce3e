import { PartloopError } from '../../domain/base/errors.js';
import type { IterationContext } from '../../domain/steps.js';
import { modelCardSchema, type TrainingList, trainingListSchema } from '../../domain/train/modelCard.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readJson } from '../../storage/tables/json.js';

/** Weights from which a run starts, and their training images. */
export interface WarmStart {
  /** Key of the earlier run's weights.pt. */
  weights: string;
  weightsSha256: string;
  /** Training images of the weights, including those of their predecessors. */
  seen: TrainingList['images'];
}

/**
 * The previous iteration's weights if `train.warmStart` asks for them; null if it does not, and in a loop's first
 * iteration.
 *
 * @throws PartloopError `data-invalid` if the previous iteration left no weights
 */
export async function warmStartOf(
  store: ObjectStore,
  { loop, config, previous }: IterationContext,
): Promise<WarmStart | null> {
  if (!config.train.warmStart || previous === null) return null;
  const { weights, card } = previous.train.outputs;
  if (weights === undefined || card === undefined) {
    throw new PartloopError(
      'data-invalid',
      `the previous iteration of loop \`${loop}\` left no weights to start from`,
      {
        hint: 'Set `train.warmStart` to false for this iteration, or replay the previous one from step train.',
      },
    );
  }
  return readWarmStart(store, weights, card);
}

/**
 * The weights of the previous iteration's control, if `train.warmStart` asks for them; null if there are none. The
 * loop's own weights are no start for it: they have seen picks.
 */
export async function warmStartOfControl(
  store: ObjectStore,
  { config, previous }: IterationContext,
): Promise<WarmStart | null> {
  const { controlWeights, controlCard } = previous?.control?.outputs ?? {};
  if (!config.train.warmStart || controlWeights === undefined || controlCard === undefined) return null;
  return readWarmStart(store, controlWeights, controlCard);
}

async function readWarmStart(store: ObjectStore, weights: string, cardKey: string): Promise<WarmStart> {
  const { trainedOn, weightsSha256 } = await readJson(store, cardKey, modelCardSchema);
  const { list } = trainedOn;
  const seen = list === null ? [] : (await readJson(store, list, trainingListSchema)).images;
  return { weights, weightsSha256, seen };
}

import { loopIterationInputSchema } from '../../domain/messages.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { light, training } from '../../workflows/activities.js';
import { showAttributes } from '../../workflows/searchAttributes.js';

export { mislabelScan, startLoop, trainingLoop } from '../../workflows/index.js';

/** A `loopIteration` whose steps changed order without a patch, which the replay test must catch. */
export async function loopIteration(input: unknown = {}): Promise<void> {
  const { context } = parseRequest(loopIterationInputSchema, input, '`loopIteration`');
  showAttributes({ loop: context.loop, iteration: context.iteration });
  showAttributes({ step: 'train' });
  await training(context.config.durability).train({ context, results: {} });
  await light.draw({ context, results: {} });
}

import { loopIterationInputSchema, parseRequest } from '../../domain/messages.js';
import { light, training } from '../../workflows/activities.js';

export { mislabelScan, startLoop, trainingLoop } from '../../workflows/index.js';

/** A `loopIteration` whose steps were put in another order without a patch: what the replay test must catch. */
export async function loopIteration(input: unknown = {}): Promise<void> {
  const { context } = parseRequest(loopIterationInputSchema, input, '`loopIteration`');
  await training(context.config.durability).train({ context, results: {} });
  await light.draw({ context, results: {} });
}

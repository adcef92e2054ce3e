import { type Command, Option } from 'commander';
import { keepPolicy } from '../../activities/loop.js';
import { PartloopError } from '../../domain/base/errors.js';
import { loopWorkflowId } from '../../domain/base/ids.js';
import { type PolicyConfig, policyConfigSchema } from '../../domain/config.js';
import { ownConfig } from '../../domain/loop/state.js';
import { type PolicyRequest, policyRequestSchema } from '../../domain/messages.js';
import { assertLoop } from '../../steering/knownLoops.js';
import { commandLoop } from '../../steering/loopClient.js';
import { isOpen } from '../../steps/workflows/openWorkflows.js';
import { readLoopState } from '../../storage/loopState.js';
import { storeOf, withClient } from '../environment.js';
import { name, number, requestFrom } from '../options.js';
import { printJson, say } from '../terminal/output.js';

const { shape } = policyConfigSchema;

interface Options extends PolicyRequest {
  json?: true;
}

/** `partloop loop policy`. */
export function registerPolicy(loop: Command): void {
  loop
    .command('policy')
    .description('Show when the next iterations begin; with options, change it')
    .argument('<name>', 'Name of the loop', name)
    .option('--new-images <n>', shape.newImages.description ?? '', number)
    .addOption(new Option('--begin <how>', shape.begin.description).choices(shape.begin.unwrap().options))
    .option('--json', 'Print one JSON object on stdout')
    .action(policy);
}

async function policy(loop: string, { json, ...given }: Options): Promise<void> {
  const asked = requestFrom(policyRequestSchema, given);
  await withClient(async (client, env) => {
    const store = storeOf(env);
    await assertLoop(client, store, loop);
    if (Object.keys(asked).length > 0) {
      if (await isOpen(client, loopWorkflowId(loop)))
        await commandLoop(client, loop, { name: 'setPolicy', args: [asked] });
      else await keepPolicy(store, loop, asked);
    }
    const config = ownConfig(await readLoopState(store, loop));
    if (config === null)
      throw new PartloopError('not-found', `loop \`${loop}\` has no settings yet`, {
        hint: '`partloop loop start` gives it some; then it can have a policy.',
      });
    if (json) printJson({ loop, policy: config.policy });
    else say(`loop ${loop}: ${policyText(config.policy)}`);
  });
}

function policyText({ newImages, begin }: PolicyConfig): string {
  const images = newImages === 1 ? 'the pool has a new image' : `the pool has ${newImages} new images`;
  return begin === 'by-itself'
    ? `an iteration begins by itself whenever ${images}`
    : `an iteration that waits for images begins when ${images}`;
}

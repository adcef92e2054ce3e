import { setCurrentDetails } from '@temporalio/workflow';
import { startLoopRequestSchema } from '../domain/loop/startRequest.js';
import { parseRequest } from '../domain/settings/parse.js';
import { bookkeeping } from './activities.js';
import { orFail, plainly } from './failures.js';
import { showAttributes } from './searchAttributes.js';

/**
 * The trigger: the UI's start form, every Schedule and the command line start it, under any id. It starts the loop or
 * joins the running one, and ends within seconds with its ids.
 */
export async function startLoop(input: unknown = {}) {
  const request = orFail(() => parseRequest(startLoopRequestSchema, input, '`startLoop`'));
  const started = await plainly(bookkeeping.startOrJoinLoop({ request }));
  showAttributes({ loop: started.loop });
  setCurrentDetails(
    [
      `Loop **${started.loop}**: ${started.outcome}, ${request.iterations} to do, the next one is ${started.nextIteration}.`,
      '',
      `[Open the loop](${started.path})`,
      '',
      '```json',
      JSON.stringify(started.config, null, 1),
      '```',
    ].join('\n'),
  );
  return started;
}

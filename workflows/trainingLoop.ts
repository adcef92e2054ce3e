import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { parseLoopWorkflowId } from '../domain/base/ids.js';
import { carried, loopMachine, loopMachineSchema, nextDeed } from '../domain/loop/machine.js';
import type { LoopStatus } from '../domain/messages.js';
import { parseRecorded } from '../domain/settings/parse.js';
import { orFail } from './failures.js';
import { setHandlers } from './loop/handlers.js';
import { LoopRun } from './loop/loopRun.js';
import { showAttributes } from './searchAttributes.js';

/**
 * The loop itself, one workflow per loop, never-ending: handlers and a short loop over the machine of
 * `domain/loop/machine.ts`. It runs one iteration at a time as a child, records failures and offers a retry. The store
 * has the loop's record. This workflow has only its plans, so a stopped loop continues at the next iteration.
 */
export async function trainingLoop(raw: unknown = {}): Promise<LoopStatus> {
  const name = orFail(() => parseLoopWorkflowId(workflowInfo().workflowId));
  const loop = new LoopRun(name, loopMachine(orFail(() => parseRecorded(loopMachineSchema, raw, '`trainingLoop`'))));
  setHandlers(loop);
  showAttributes({ loop: name });
  await loop.readStore();
  loop.refuseWithoutConfig();
  loop.show();

  for (;;) {
    const deed = await loop.awaitDeed();
    if (deed.kind !== 'end') await loop.do(deed);
    else if (allHandlersFinished()) return loop.status;
    else await condition(allHandlersFinished);
    const { machine } = loop;
    if (workflowInfo().continueAsNewSuggested && machine.running === null && nextDeed(machine).kind !== 'end') {
      await condition(allHandlersFinished);
      await continueAsNew<typeof trainingLoop>(carried(loop.machine));
    }
  }
}

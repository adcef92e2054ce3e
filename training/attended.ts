import { Context, type Info } from '@temporalio/activity';
import { parseIterationWorkflowId } from '../domain/base/ids.js';
import type { IterationContext } from '../domain/steps.js';
import type { Turn } from './checkpoints/chainState.js';
import type { Commands } from './trainingRun.js';

/**
 * The request of a person to which an attempt belongs. Every way to ask again is a new run of the workflow (a retry, a
 * replay, a reset in the UI) or a higher `retry` in its context; retries of the server are neither.
 */
export function generationOf({ retry = 0 }: IterationContext): string {
  return `${workflowOf()?.runId ?? 'direct'}:${retry}`;
}

/** Number of the server's attempt; null outside an activity. */
export function turnOf(): Turn | null {
  const info = infoOf();
  return info === null ? null : { activity: info.activityId, attempt: info.attempt };
}

/** The trainings of an iteration. */
type TrainingName = 'train' | 'fold' | 'trial' | 'arm';

/** Actions of a person for a stalled training of this iteration. */
export function commandsFor({ loop, iteration }: IterationContext, step: TrainingName): Commands {
  const from = { train: 'train', fold: 'scan', trial: 'tune', arm: 'control' }[step];
  const workflow = workflowOf()?.workflowId.split(':').slice(0, 4).join(':');
  if (workflow !== undefined && parseIterationWorkflowId(workflow) === null) {
    return {
      retry: 'reset the workflow in the Temporal UI to its last workflow task',
      anew: 'start the scan again, under another name',
    };
  }
  const replay = `\`partloop iteration replay ${loop} ${iteration} --from ${from}\``;
  // A failed control fails no iteration, so that there is none to retry.
  return { retry: step === 'arm' ? replay : `\`partloop loop retry ${loop}\``, anew: replay };
}

const workflowOf = (): { workflowId: string; runId: string } | null => infoOf()?.workflowExecution ?? null;

function infoOf(): Info | null {
  try {
    return Context.current().info;
  } catch {
    return null;
  }
}

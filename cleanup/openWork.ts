import type { Client } from '@temporalio/client';
import { standaloneScanId } from '../domain/base/ids.js';
import { SEARCH_ATTRIBUTES } from '../domain/searchAttributes.js';
import { WORKFLOW_TYPES, WORKFLOWS } from '../domain/workflowNames.js';
import type { OpenWork } from './gc/garbage.js';

const RUNNING = `ExecutionStatus = 'Running' AND WorkflowType IN (${WORKFLOW_TYPES.map((type) => `'${type}'`).join(', ')})`;
/** Of an iteration or of what it has started, and of a loop. */
const OF_ITERATION = /^loop:([a-z0-9-]+):iteration:(\d+)(?::|$)/;
const OF_LOOP = /^loop:([a-z0-9-]+)$/;

/** These do no step themselves: what they start does, or they only write into pools, or only delete. */
const WITHOUT_STEPS: readonly string[] = [
  ...[WORKFLOWS.startLoop, WORKFLOWS.trainingLoop],
  ...[WORKFLOWS.startIngest, WORKFLOWS.poolIngest, WORKFLOWS.cleanUp],
];

/** Whether a workflow does steps itself, so that it reads and writes objects of a loop or scan. */
export const doesSteps = ({ type }: OpenWorkflow): boolean => !WITHOUT_STEPS.includes(type);

/** A workflow of partloop that runs. */
export interface OpenWorkflow {
  workflowId: string;
  /** The loop or scan that it works for; null where its id and its attributes do not tell. */
  name: string | null;
  /** null for a loop itself, and for what works for all of them. */
  iteration: number | null;
  type: string;
}

/** All workflows of partloop that run, as far as the service's list knows. */
export async function openWorkflows(client: Client): Promise<OpenWorkflow[]> {
  const found: OpenWorkflow[] = [];
  for await (const { workflowId, runId, type, typedSearchAttributes } of client.workflow.list({ query: RUNNING })) {
    const [, ofIteration, iteration] = OF_ITERATION.exec(workflowId) ?? [];
    const attribute = typedSearchAttributes.get(SEARCH_ATTRIBUTES.loop) ?? null;
    const scan = type === WORKFLOWS.mislabelScan ? standaloneScanId(workflowId, runId) : null;
    const name = ofIteration ?? OF_LOOP.exec(workflowId)?.[1] ?? attribute ?? scan;
    found.push({ workflowId, name, iteration: iteration === undefined ? null : Number(iteration), type });
  }
  return found.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

/**
 * The iterations and scans that run, as a sweep asks for them. A loop that waits for its next iteration holds none of
 * those that are done.
 */
export async function openWork(client: Client): Promise<OpenWork> {
  const steps = (await openWorkflows(client)).filter(doesSteps);
  return {
    ids: steps.map(({ workflowId }) => workflowId),
    isOpen: (loop, iteration) =>
      steps.some((one) => one.name === null || (one.name === loop && (one.iteration ?? iteration) === iteration)),
  };
}

import { workflowInfo } from '@temporalio/workflow';
import { WORKFLOWS } from '../domain/workflowNames.js';
import { failureOf } from './failures.js';

/** The types that people start. */
const STARTED_BY_PEOPLE = [WORKFLOWS.startLoop, WORKFLOWS.startIngest, WORKFLOWS.mislabelScan, WORKFLOWS.cleanUp];

/** Runs if somebody starts a type that does not exist: otherwise that would wait forever for a worker that knows it. */
export async function unknownWorkflow(): Promise<never> {
  const { workflowType } = workflowInfo();
  throw failureOf(
    'input-invalid',
    `there is no workflow type \`${workflowType}\``,
    `Start ${STARTED_BY_PEOPLE.map((type) => `\`${type}\``).join(' or ')} with \`{}\`; these start the others.`,
  );
}

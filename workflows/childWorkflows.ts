import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { type ChildWorkflowOptions, executeChild } from '@temporalio/workflow';
import type { z } from 'zod';
import { recorded } from '../domain/base/recorded.js';
import { joining } from './activities.js';
import { failureOf } from './failures.js';

/**
 * Run a workflow that is a step of this one. If it already runs, under a run that began before this one was reset or
 * ended from outside, wait for its end instead; a cancellation reaches it through its own handle. A workflow that was
 * ended without a result is run again.
 */
export async function runOrJoin<Result>(
  workflow: (input?: unknown) => Promise<Result>,
  options: { workflowId: string; args: [unknown]; staticSummary: string },
  resultSchema: z.ZodType<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await executeChild(workflow, options satisfies ChildWorkflowOptions & { args: [unknown] });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const joined = await joining.joinWorkflow({ workflowId: options.workflowId });
    if (joined.status === 'completed') return recorded(resultSchema).parse(joined.result);
    if (joined.status === 'failed') throw failureOf(joined.code, joined.message, joined.hint);
  }
}

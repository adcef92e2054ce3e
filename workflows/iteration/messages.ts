import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { IterationFinished, IterationHeld, IterationProgress } from '../../domain/messages.js';
import { QUERIES, SIGNALS } from '../../domain/workflowNames.js';

// Messages of an iteration to its loop, and the messages and queries that it accepts itself.

export const iterationFinishedSignal = defineSignal<[IterationFinished]>(SIGNALS.iterationFinished);
export const iterationHeldSignal = defineSignal<[IterationHeld]>(SIGNALS.iterationHeld);
export const pauseIterationSignal = defineSignal<[boolean, boolean?]>(SIGNALS.setPaused);
export const iterationProgressQuery = defineQuery<IterationProgress>(QUERIES.progress);

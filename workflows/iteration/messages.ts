import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { IterationFinished, IterationHeld, IterationProgress } from '../../domain/messages.js';
import { QUERIES, SIGNALS } from '../../domain/workflowNames.js';

// What an iteration tells its loop, and what it can be told and asked itself.

export const iterationFinishedSignal = defineSignal<[IterationFinished]>(SIGNALS.iterationFinished);
export const iterationHeldSignal = defineSignal<[IterationHeld]>(SIGNALS.iterationHeld);
export const pauseIterationSignal = defineSignal<[boolean, boolean?]>(SIGNALS.setPaused);
export const iterationProgressQuery = defineQuery<IterationProgress>(QUERIES.progress);

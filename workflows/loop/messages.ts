import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { LoopConfig } from '../../domain/config.js';
import {
  type Approval,
  type ApproveIteration,
  approveIterationSchema,
  type LoopStatus,
  type PauseLoop,
  type PolicyRequest,
  type PoolNews,
  pauseSchema,
  policyRequestSchema,
  poolNewsSchema,
  type RetryIteration,
  type RunIterations,
  type RunIterationsAnswer,
  retryIterationSchema,
  runIterationsSchema,
  type StopLoop,
  stopSchema,
} from '../../domain/messages.js';
import { parseRecorded, type parseRequest } from '../../domain/settings/parse.js';
import { QUERIES, SIGNALS, UPDATES } from '../../domain/workflowNames.js';
import { orFail } from '../failures.js';

// Messages and queries that a `trainingLoop` accepts. Messages of its iterations are in `iteration/messages.ts`.

export const runIterationsUpdate = defineUpdate<RunIterationsAnswer, [RunIterations]>(UPDATES.runIterations);
export const retryIterationUpdate = defineUpdate<LoopStatus, [RetryIteration]>(UPDATES.retryIteration);
export const pauseUpdate = defineUpdate<LoopStatus, [PauseLoop]>(UPDATES.pause);
export const resumeUpdate = defineUpdate<LoopStatus>(UPDATES.resume);
export const setConfigUpdate = defineUpdate<LoopStatus, [{ config: LoopConfig }]>(UPDATES.setConfig);
export const setPolicyUpdate = defineUpdate<LoopStatus, [PolicyRequest]>(UPDATES.setPolicy);
export const adoptProposalUpdate = defineUpdate<LoopStatus>(UPDATES.adoptProposal);
export const approveIterationUpdate = defineUpdate<Approval, [ApproveIteration]>(UPDATES.approveIteration);
export const stopUpdate = defineUpdate<LoopStatus, [StopLoop]>(UPDATES.stop);
export const poolGrewSignal = defineSignal<[PoolNews?]>(SIGNALS.poolGrew);
export const statusQuery = defineQuery<LoopStatus>(QUERIES.status);

// Inputs of updates. The validator checks an input strictly, once: a refused one leaves nothing in the history. The
// handler reads it as recorded data, also in a replay by another version that lacks a field of it.
type Parse = typeof parseRequest;
export const asRunIterations = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(runIterationsSchema, request, '`runIterations`'));
export const asRetry = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(retryIterationSchema, request, '`retryIteration`'));
export const asApproval = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(approveIterationSchema, request, '`approveIteration`'));
export const asPause = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(pauseSchema, request, '`pause`'));
export const asStop = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(stopSchema, request, '`stop`'));
export const asPolicy = (request: unknown, parse: Parse = parseRecorded) =>
  orFail(() => parse(policyRequestSchema, request, '`setPolicy`'));
export const asConfig = ({ config }: { config: unknown }, parse: Parse = parseRecorded) =>
  orFail(() => parse(runIterationsSchema, { config }, '`setConfig`')).config;

/** A signal cannot be refused: one with invalid content counts as one without a pool. */
export const poolOfNews = (news: unknown): string | null => poolNewsSchema.safeParse(news).data?.pool ?? null;

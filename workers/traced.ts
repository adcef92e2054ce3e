import { CancelledFailure } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { z } from 'zod';
import { iterationWorkflowId, scanWorkflowId, tuneWorkflowId } from '../domain/base/ids.js';
import { spanIdOf, traceIdOf } from '../steps/trace.js';
import type { Tracing } from '../telemetry/traces/tracing.js';
import { inputFields, withFields, workflowFields } from './logFields.js';
import { stepOfActivity } from './metrics/activitySteps.js';

interface Traced {
  tracing: Tracing;
  role: string;
  storeUri: string;
  /** When a workflow began and ended. */
  describe(workflowId: string): Promise<{ startTime: Date; closeTime?: Date | undefined }>;
}

/** The root of an iteration's trace, and steps of several activities, whose spans are those of their workflows. */
const ROOT = 'iteration';
const WORKFLOW_OF = { scan: scanWorkflowId, tune: tuneWorkflowId } as const;
const MAX_ERROR = 300;

const recordedSchema = z.looseObject({
  error: z.string().nullable(),
  results: z.record(z.string(), z.looseObject({ outcome: z.string() })),
});

/**
 * Activity interceptor: one span for each try of an activity of an iteration. Those of scan and tune lie below the span
 * of their step, all others below the iteration. The worker that records the iteration sends these spans themselves.
 */
export function traced({ tracing, role, storeUri, describe }: Traced): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next): Promise<unknown> {
        const workflowId = info.workflowExecution?.workflowId ?? '';
        const { loop, iteration } = workflowFields(workflowId);
        if (loop === undefined || iteration === undefined) return next(input);
        const traceId = traceIdOf(storeUri, { loop, iteration });
        const step = stepOfActivity(info.activityType);
        const { shard, fold } = inputFields(input.args);
        const startedAt = Date.now();
        const place = { loop, iteration, step, role, shard, fold, attempt: info.attempt };
        const attributes = Object.fromEntries(
          Object.entries(place).map(([name, value]) => [`partloop.${name}`, value]),
        );
        const ended = (error: string | null, outcome: string): void =>
          tracing.emit({
            ...{ traceId, spanId: null, parentId: spanIdOf(traceId, step in WORKFLOW_OF ? step : ROOT) },
            ...{ name: info.activityType, startedAt, endedAt: Date.now(), error },
            attributes: { ...attributes, 'partloop.outcome': outcome },
          });
        try {
          const result = await withFields({ trace: traceId }, () => next(input));
          ended(null, 'done');
          if (info.activityType === 'recordIteration')
            await iterationSpans({ traceId, loop, iteration }, input.args[0], { tracing, describe });
          return result;
        } catch (error) {
          if (error instanceof CancelledFailure) ended(null, 'cancelled');
          else ended(messageOf(error), error instanceof ApplicationFailure ? (error.type ?? 'failed') : 'failed');
          throw error;
        }
      },
    } satisfies ActivityInboundCallsInterceptor,
  });
}

interface Of {
  traceId: string;
  loop: string;
  iteration: number;
}

/** The spans of an iteration and of its steps that are workflows, as long as those ran. Never throws. */
async function iterationSpans(
  { traceId, loop, iteration }: Of,
  recorded: unknown,
  { tracing, describe }: Pick<Traced, 'tracing' | 'describe'>,
): Promise<void> {
  const { success, data } = recordedSchema.safeParse(recorded);
  if (!success) return;
  const root = iterationWorkflowId(loop, iteration);
  const of = { 'partloop.loop': loop, 'partloop.iteration': iteration };
  const send = async (workflowId: string, span: { name: string; parentId: string | null; error: string | null }) => {
    try {
      const { startTime, closeTime } = await describe(workflowId);
      const [startedAt, endedAt] = [startTime.getTime(), closeTime?.getTime() ?? Date.now()];
      tracing.emit({ traceId, spanId: spanIdOf(traceId, span.name), ...span, startedAt, endedAt, attributes: of });
    } catch {
      // Gone, or the service is away: the spans below it say what there is to say.
    }
  };
  for (const [step, workflowId] of Object.entries(WORKFLOW_OF))
    if (data.results[step] !== undefined && data.results[step].outcome !== 'hit')
      await send(workflowId(root), { name: step, parentId: spanIdOf(traceId, ROOT), error: null });
  await send(root, { name: ROOT, parentId: null, error: data.error === null ? null : data.error.slice(0, MAX_ERROR) });
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR);

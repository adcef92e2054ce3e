import { z } from 'zod';
import type { MetricName } from '../../domain/metrics.js';
import { type Fact, stepResultSchema } from '../../domain/stepContract.js';
import type { Recorder } from '../../steps/measure.js';

/** Facts of finished steps that are metrics too. */
const FACTS: Readonly<Record<string, Readonly<Record<string, MetricName>>>> = {
  scan: { findings: 'partloop_findings', quarantined: 'partloop_images_set_aside' },
  evaluate: { miou: 'partloop_miou' },
  decide: { benchmarkMiou: 'partloop_benchmark_miou', pendingApproval: 'partloop_approval_pending' },
};

/** Measure what the result of an activity tells, if it is the result of a step. */
export function recordResult(result: unknown, record: Recorder): void {
  const { success, data } = stepResultSchema.safeParse(result);
  if (!success) return;
  for (const [fact, name] of Object.entries(FACTS[data.step] ?? {})) {
    const value = asNumber(data.facts[fact]);
    if (value !== null) record(name, value);
  }
}

const asNumber = (fact: Fact | undefined): number | null =>
  typeof fact === 'boolean' ? Number(fact) : typeof fact === 'number' ? fact : null;

const STATUSES = ['finished', 'failed'] as const;

/** What the activity that records an iteration was asked to record. */
const recordedSchema = z.looseObject({
  status: z.enum(STATUSES),
  results: z.record(z.string(), z.looseObject({ seconds: z.number() })),
});

/** An increase is seen only by who has seen the value before: both counts begin with 0, long before the first end. */
export function recordIterationBegin(record: Recorder): void {
  for (const status of STATUSES) record('partloop_iterations_total', 0, { status });
}

/** Measure the end of an iteration. */
export function recordIterationEnd(input: unknown, record: Recorder): void {
  const { success, data } = recordedSchema.safeParse(input);
  if (!success) return;
  const { status, results } = data;
  record('partloop_iterations_total', 1, { status });
  for (const [step, { seconds }] of Object.entries(results)) record('partloop_step_seconds', seconds, { step });
}

import { iterationWorkflowId } from '../base/ids.js';
import type { LoopConfig } from '../config.js';
import { factLabel } from '../stepContract.js';
import { CONTRACTS, STEPS, type StepResults } from '../steps.js';

/** An attempt at an iteration, which is one run of a tracking server. */
export interface TrackedAttempt {
  loop: string;
  iteration: number;
  /** Id of the workflow's run: another attempt has another one. */
  runId: string;
}

export interface Param {
  key: string;
  value: string;
}

export interface Metric {
  key: string;
  value: number;
  /** The iteration: metrics of a loop's runs make one curve. */
  step: number;
}

/** Images that a run used. */
export interface TrackedDataset {
  context: 'training' | 'evaluation';
  name: string;
  /** At most 36 letters. */
  digest: string;
  /** Where its table is; null if it has none of its own. */
  uri: string | null;
  images: number | null;
}

/** Letters of MLflow's keys and values that every server takes (mlflow/utils/validation.py). */
const KEY_LETTERS = 250;
const VALUE_LETTERS = 500;
const TAG_LETTERS = 5_000;
const DIGEST_LETTERS = 36;

export const runName = ({ loop, iteration }: TrackedAttempt): string => `${loop}:${iteration}`;

/** The tags by which the run of an attempt is found again. */
export const identityTags = ({ loop, iteration, runId }: TrackedAttempt): Param[] => [
  { key: 'partloop.loop', value: loop },
  { key: 'partloop.iteration', value: String(iteration) },
  { key: 'partloop.attempt', value: runId },
];

/** The settings of an iteration, nested ones under names with dots; those of the tracking itself are left out. */
export function paramsOf(config: LoopConfig): Param[] {
  const { tracking: _, ...settings } = config;
  const flat = (value: unknown, path: string): Param[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => flat(inner, path === '' ? name : `${path}.${name}`))
      : [{ key: keyOf(path), value: cut(writtenValue(value), VALUE_LETTERS) }];
  return flat(settings, '');
}

/** The facts of all steps that are numbers, and the steps' seconds; yes and no are 1 and 0. */
export function metricsOf(results: StepResults, iteration: number): Metric[] {
  return STEPS.flatMap((step) => {
    const result = results[step];
    if (result === undefined) return [];
    const values: [string, unknown][] = [...Object.entries(result.facts), ['seconds', result.seconds]];
    return values.flatMap(([name, value]) => {
      const number = typeof value === 'boolean' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) return [];
      return [{ key: keyOf(`${step}.${name}`), value: number, step: iteration }];
    });
  });
}

/** What a person looks for from a run on: the report, the workflow, and what the steps said in words. */
export function tagsOf(
  attempt: TrackedAttempt,
  { results, error, storeUri }: { results: StepResults; error: string | null; storeUri: string },
): Param[] {
  const report = results.report?.outputs.report;
  const words = STEPS.flatMap((step) =>
    Object.entries(results[step]?.facts ?? {}).flatMap(([name, value]) =>
      typeof value === 'string' && factLabel(CONTRACTS[step], name) !== null ? [{ key: `${step}.${name}`, value }] : [],
    ),
  );
  const tags = [
    { key: 'temporal.workflowId', value: iterationWorkflowId(attempt.loop, attempt.iteration) },
    { key: 'temporal.runId', value: attempt.runId },
    ...(report === undefined ? [] : [{ key: 'partloop.report', value: `${storeUri}/${report}` }]),
    ...(error === null ? [] : [{ key: 'partloop.error', value: error }]),
    ...words,
  ];
  return tags.map(({ key, value }) => ({ key: keyOf(key), value: cut(value, TAG_LETTERS) }));
}

/** The training set and the test set, as far as the iteration came to them. */
export function datasetsOf({
  pool,
  results,
  storeUri,
}: {
  pool: string;
  results: StepResults;
  storeUri: string;
}): TrackedDataset[] {
  const { sample, evaluate } = results;
  const table = sample?.outputs.trainingSet;
  const test = evaluate?.facts.testVersion ?? null;
  return [
    ...(sample === undefined
      ? []
      : [
          {
            ...({ context: 'training', name: pool, digest: sample.digest.slice(0, DIGEST_LETTERS) } as const),
            uri: table === undefined ? null : `${storeUri}/${table}`,
            images: sample.facts.trainingSet ?? null,
          },
        ]),
    ...(test === null
      ? []
      : [
          {
            ...({
              context: 'evaluation',
              name: `${pool} test`,
              digest: test.slice(0, DIGEST_LETTERS),
              uri: null,
            } as const),
            images: evaluate?.facts.images ?? null,
          },
        ]),
  ];
}

/** MLflow's keys have no other signs. */
const keyOf = (path: string): string => path.replace(/[^\w\-. :/]/g, '_').slice(0, KEY_LETTERS);

const writtenValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A value that is too long says so at its end. */
const cut = (value: string, letters: number): string =>
  value.length <= letters ? value : `${value.slice(0, letters - 2)} …`;

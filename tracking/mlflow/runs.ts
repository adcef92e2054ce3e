import { z } from 'zod';
import {
  identityTags,
  type Metric,
  type Param,
  runName,
  type TrackedAttempt,
  type TrackedDataset,
} from '../../domain/tracking/trackedRun.js';
import { type MlflowApi, MlflowError } from './api.js';

/** What one request may log. */
const PARAMS_AT_ONCE = 100;
const TAGS_AT_ONCE = 100;
const METRICS_AT_ONCE = 1_000;

const runSchema = z.looseObject({ info: z.looseObject({ run_id: z.string(), status: z.string() }) });
const anything = z.looseObject({});

/** A run of MLflow; `isOver` says that everything of it is noted. */
export interface MlflowRun {
  id: string;
  isOver: boolean;
}

/** What an attempt leaves in its run. */
export interface RunContent {
  params: readonly Param[];
  metrics: readonly Metric[];
  tags: readonly Param[];
  datasets: readonly TrackedDataset[];
}

/** The run of an attempt: found by its tags, or made. */
export async function ensureRun(api: MlflowApi, experiment: string, attempt: TrackedAttempt): Promise<MlflowRun> {
  const experimentId = await ensureExperiment(api, experiment);
  const identity = identityTags(attempt);
  // Values of these tags have no quotes: they are a loop's name, a number and an id.
  const filter = identity.map(({ key, value }) => `tags.\`${key}\` = '${value}'`).join(' and ');
  const search = { experiment_ids: [experimentId], filter, max_results: 1, run_view_type: 'ACTIVE_ONLY' };
  const { runs } = await api.post('runs/search', search, z.looseObject({ runs: z.array(runSchema).default([]) }));
  const [found] = runs;
  if (found !== undefined) return { id: found.info.run_id, isOver: found.info.status !== 'RUNNING' };
  const tags = [
    ...identity,
    { key: 'mlflow.source.name', value: 'partloop' },
    { key: 'mlflow.source.type', value: 'JOB' },
  ];
  const { run } = await api.post(
    'runs/create',
    { experiment_id: experimentId, start_time: Date.now(), run_name: runName(attempt), tags },
    z.looseObject({ run: runSchema }),
  );
  return { id: run.info.run_id, isOver: false };
}

/** Note everything, then that the run is over: an attempt that is broken off before that does it all again. */
export async function finishRun(
  api: MlflowApi,
  id: string,
  { params, metrics, tags, datasets }: RunContent,
  status: 'FINISHED' | 'FAILED',
): Promise<void> {
  const timestamp = Date.now();
  for (const some of batches(params, PARAMS_AT_ONCE))
    await api.post('runs/log-batch', { run_id: id, params: some }, anything);
  for (const some of batches(tags, TAGS_AT_ONCE))
    await api.post('runs/log-batch', { run_id: id, tags: some }, anything);
  for (const some of batches(metrics, METRICS_AT_ONCE))
    await api.post(
      'runs/log-batch',
      { run_id: id, metrics: some.map((metric) => ({ ...metric, timestamp })) },
      anything,
    );
  if (datasets.length > 0)
    await api.post('runs/log-inputs', { run_id: id, datasets: datasets.map(datasetInput) }, anything);
  await api.post('runs/update', { run_id: id, status, end_time: timestamp }, anything);
}

function datasetInput({ context, name, digest, uri, images }: TrackedDataset): object {
  return {
    tags: [{ key: 'mlflow.data.context', value: context }],
    dataset: {
      ...{
        name,
        digest,
        source_type: uri === null ? 'code' : 's3',
        source: JSON.stringify(uri === null ? {} : { uri }),
      },
      ...(images === null ? {} : { profile: JSON.stringify({ num_rows: images }) }),
    },
  };
}

async function ensureExperiment(api: MlflowApi, name: string): Promise<string> {
  const found = z.looseObject({ experiment: z.looseObject({ experiment_id: z.string() }) });
  const find = async (): Promise<string> =>
    (await api.get('experiments/get-by-name', { experiment_name: name }, found)).experiment.experiment_id;
  try {
    return await find();
  } catch (error) {
    if (!isCode(error, 'RESOURCE_DOES_NOT_EXIST')) throw error;
  }
  try {
    const made = await api.post('experiments/create', { name }, z.looseObject({ experiment_id: z.string() }));
    return made.experiment_id;
  } catch (error) {
    // Somebody else was first.
    if (isCode(error, 'RESOURCE_ALREADY_EXISTS')) return find();
    throw error;
  }
}

export const isCode = (error: unknown, code: string): boolean => error instanceof MlflowError && error.code === code;

function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

import { z } from 'zod';
import type { RegisteredModel } from '../../domain/decide/decision.js';
import type { MlflowApi } from './api.js';
import { isCode } from './runs.js';

/** The alias of the model in production. */
const CHAMPION = 'champion';
const DIGEST_TAG = 'partloop.digest';

const versionSchema = z.looseObject({ version: z.union([z.string(), z.number()]).transform(String) });
const anything = z.looseObject({});

/** A model that a loop trained, and where it is. */
export interface TrackedModel {
  model: RegisteredModel;
  /** Folder of its files, as an `s3://` URI. */
  source: string;
  /** MLflow's run of the iteration that trained it; null if that is not known. */
  runId: string | null;
}

/** The version of a registered model that has these weights: found by their digest, or made. */
export async function ensureVersion(
  api: MlflowApi,
  name: string,
  { model, source, runId }: TrackedModel,
): Promise<string> {
  // Names of registered models are made of a taxonomy's name and digest: no quotes.
  const filter = `name='${name}' and tags.\`${DIGEST_TAG}\` = '${model.digest}'`;
  const listSchema = z.looseObject({ model_versions: z.array(versionSchema).default([]) });
  const { model_versions } = await api.get('model-versions/search', { filter, max_results: '1' }, listSchema);
  const [found] = model_versions;
  if (found !== undefined) return found.version;
  await api.post('registered-models/create', { name }, anything).catch((error: unknown) => {
    if (!isCode(error, 'RESOURCE_ALREADY_EXISTS')) throw error;
  });
  const tags = [
    { key: DIGEST_TAG, value: model.digest },
    { key: 'partloop.loop', value: model.loop },
    { key: 'partloop.iteration', value: model.iteration === null ? 'baseline' : String(model.iteration) },
  ];
  const { model_version } = await api.post(
    'model-versions/create',
    { name, source, tags, ...(runId === null ? {} : { run_id: runId }) },
    z.looseObject({ model_version: versionSchema }),
  );
  return model_version.version;
}

/** Let the alias of the model in production name this version. */
export async function setChampion(api: MlflowApi, name: string, version: string): Promise<void> {
  await api.post('registered-models/alias', { name, alias: CHAMPION, version }, anything);
}

import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { modelReference } from '../../domain/decide/modelName.js';
import { type ModelCard, type TrainingList, trainingListSchema } from '../../domain/train/modelCard.js';
import { modelCachePath } from '../../inference/modelFile.js';
import { digestOfTaxonomy } from '../../storage/digest.js';
import { findModel } from '../../storage/models/findModel.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { readJson } from '../../storage/tables/json.js';
import { ulid } from '../../storage/ulid.js';
import { fitGivenModel, openGivenModel } from '../scan/scanModel.js';
import { assertUsable } from './changed.js';
import { taxonomyText } from './modelRow.js';

/** A model that is judged on images, ready to be opened. */
export interface JudgedModel {
  name: string;
  /** Key of its file in the store, or the place of a given file, which is in the cache. */
  scanKey: string;
  digest: string;
  /** The images that it was trained on; null if they are unknown. */
  trainedOn: TrainingList | null;
  /** The grid on which its loop measures; null if no loop trained it. */
  evaluationSize: number | null;
}

/**
 * The model that a person names, or an ONNX file with a model.json beside it.
 *
 * @throws PartloopError `not-found`, `model-invalid`; `refused` for a model of another taxonomy than the pool's
 */
export async function modelToJudge(
  store: ObjectStore,
  pool: Pool,
  { text, card, home }: { text: string; card: string | undefined; home: string },
): Promise<JudgedModel> {
  return modelReference(text) === null || card !== undefined
    ? givenFile(store, pool, { file: text, card }, home)
    : knownModel(store, pool, text);
}

async function knownModel(store: ObjectStore, pool: Pool, text: string): Promise<JudgedModel> {
  const { known, taxonomy } = await findModel(store, text);
  if (taxonomy.digest !== digestOfTaxonomy(pool.taxonomy))
    throw new PartloopError(
      'refused',
      `model \`${known.name}\` is of ${taxonomyText(taxonomy)}, which is not that of pool \`${pool.name}\``,
      { hint: `\`partloop model list --pool ${pool.name}\` shows the models for that pool.` },
    );
  await assertUsable(store, known);
  return {
    ...{ name: known.name, scanKey: known.model.scan, digest: known.model.digest },
    trainedOn: await listOf(store, known.card),
    evaluationSize: known.attempt?.config.evaluationSize ?? null,
  };
}

async function givenFile(
  store: ObjectStore,
  pool: Pool,
  given: { file: string; card: string | undefined },
  home: string,
): Promise<JudgedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'partloop-model-'));
  try {
    const { scanFile, card } = await fitGivenModel(store, pool, await openGivenModel(store, given, folder), folder);
    const digest = card.files.scan;
    const place = modelCachePath(home, digest);
    const part = `${place}.${ulid(new Date())}.part`;
    await mkdir(dirname(place), { recursive: true });
    await copyFile(scanFile, part);
    await rename(part, place);
    const model = { name: given.file, scanKey: given.file, digest };
    return { ...model, trainedOn: await listOf(store, card), evaluationSize: null };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** null for a model of another store too, whose list is not in this one. */
async function listOf(store: ObjectStore, card: ModelCard | null): Promise<TrainingList | null> {
  const key = card?.trainedOn.list ?? null;
  if (key === null || (await store.head(key)) === null) return null;
  return readJson(store, key, trainingListSchema);
}

import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { recorded } from '../../domain/base/recorded.js';
import { type ModelCard, modelCardSchema } from '../../domain/train/modelCard.js';
import { parseJsonText } from '../../formats/reading/jsonFile.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../storage/pool/pool.js';
import { attachHead } from './attachHead.js';

const MAX_CARD_BYTES = 2 ** 20;

/** A model that a person gives to a command. */
export interface GivenFile {
  /** A local ONNX file, or an s3:// URI. */
  file: string;
  /** Its description; `model.json` beside it if omitted. */
  card: string | undefined;
}

export interface GivenModel extends GivenFile {
  scan: string;
  pool: string;
  /** Whether the person declares that it was trained on no image of the pool. */
  unseen: boolean;
}

/** A given model on this disk, with its description. */
export interface OpenedModel {
  file: string;
  description: unknown;
  /** Place of the description, for errors. */
  place: string;
  /** Its card, if partloop trained it. */
  ours: ModelCard | null;
}

/**
 * Copy a given model to the scan that it will judge: one of ours (`scan.onnx` with its card) unchanged, any other with
 * the scan's head attached. Returns the keys for the scan's request.
 *
 * @throws PartloopError `model-invalid` if file, description and taxonomy do not fit, `input-invalid` without
 * `--unseen`
 */
export async function uploadScanModel(store: ObjectStore, given: GivenModel): Promise<{ scan: string; card: string }> {
  const pool = await openPool(store, given.pool);
  const folder = await mkdtemp(join(tmpdir(), 'partloop-model-'));
  try {
    const opened = await openGivenModel(store, given, folder);
    const listed = opened.ours !== null && opened.ours.trainedOn.list !== null && !given.unseen;
    const trainedOn = listed ? opened.ours?.trainedOn : await list(store, given);
    const { scanFile, card } = await fitGivenModel(store, pool, opened, folder);
    const place = { scan: keys.scanModel(given.scan, 'scan.onnx'), card: keys.scanModel(given.scan, 'model.json') };
    await store.putFile(place.scan, scanFile, 'application/octet-stream');
    await store.put(place.card, JSON.stringify({ ...card, trainedOn }, null, 1), 'application/json');
    return place;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Fetch a given model into `folder`, unless it is on this disk, and read its description.
 *
 * @throws PartloopError `not-found` without the file, `model-invalid` without a readable description
 */
export async function openGivenModel(store: ObjectStore, given: GivenFile, folder: string): Promise<OpenedModel> {
  const file = await fetched(store, given.file, join(folder, 'model.onnx'));
  const place = given.card ?? beside(given.file);
  const description = await readDescription(store, place, join(folder, 'card.json'));
  return { file, description, place, ours: recorded(modelCardSchema).safeParse(description).data ?? null };
}

/**
 * The ONNX file in `folder` by which a given model judges images of a pool: one of ours unchanged, any other with the
 * scan's head attached.
 *
 * @throws PartloopError `model-invalid` if file, description and taxonomy do not fit
 */
export async function fitGivenModel(
  store: ObjectStore,
  pool: Pool,
  { file, description, place, ours }: OpenedModel,
  folder: string,
): Promise<{ scanFile: string; card: ModelCard }> {
  const scanFile = join(folder, 'scan.onnx');
  if (ours === null)
    return { scanFile, card: await attachHead(store, pool, { file, out: scanFile, folder, description, place }) };
  if (ours.taxonomyDigest !== digestOfTaxonomy(pool.taxonomy))
    throw new PartloopError(
      'model-invalid',
      `${place} was made for a different taxonomy than that of pool \`${pool.name}\``,
    );
  await copyFile(file, scanFile);
  if ((await sha256(scanFile)) !== ours.files.scan) {
    throw new PartloopError('model-invalid', `${file} is not the scan.onnx that ${place} names`, {
      hint: 'A model has two files; scan.onnx is the one that judges.',
    });
  }
  return { scanFile, card: ours };
}

/** An empty list says that the model has seen no image of the pool; only the person can know. */
async function list(store: ObjectStore, { scan, file, unseen }: GivenModel): Promise<ModelCard['trainedOn']> {
  if (!unseen) {
    throw new PartloopError('input-invalid', `the training images of ${file} are unknown`, {
      hint: 'A model that has seen an image finds its label right. Give `--unseen` if it has seen none of this pool, or use `--cross-validate 2` instead.',
    });
  }
  const key = keys.scanModel(scan, 'training-list.json');
  await store.put(key, JSON.stringify({ images: [] }), 'application/json');
  return { list: key, digest: digestOf([]) };
}

async function fetched(store: ObjectStore, place: string, local: string): Promise<string> {
  if (place.startsWith('s3://')) {
    await store.getFile(place, local);
    return local;
  }
  const facts = await stat(place).catch((cause: unknown) => {
    throw new PartloopError('not-found', `there is no model file ${place}`, {
      cause,
      hint: 'Give the path of an ONNX file on this machine, or its s3:// URI.',
    });
  });
  if (!facts.isFile()) throw new PartloopError('input-invalid', `${place} is not a file`);
  return place;
}

async function readDescription(store: ObjectStore, place: string, local: string): Promise<unknown> {
  const path = place.startsWith('s3://') ? local : place;
  const hint = 'A model needs a model.json beside it, or `--model-card FILE`; docs/scan.md describes its fields.';
  const wrong = (what: string, cause?: unknown): PartloopError =>
    new PartloopError('model-invalid', what, { hint, cause });
  if (path === local) {
    if ((await store.head(place)) === null) throw wrong(`the model has no description: there is no ${place}`);
    await store.getFile(place, local);
  }
  const facts = await stat(path).catch((cause: unknown) => {
    throw wrong(`the model has no description: there is no ${place}`, cause);
  });
  if (!facts.isFile()) throw wrong(`${place} is not a file`);
  if (facts.size > MAX_CARD_BYTES) throw wrong(`${place} is larger than 1 MB: it is not a description of a model`);
  return parseJsonText(await readFile(path, 'utf8'), place);
}

const beside = (place: string): string =>
  place.startsWith('s3://')
    ? `${place.slice(0, -basename(place).length)}model.json`
    : join(dirname(place), 'model.json');

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

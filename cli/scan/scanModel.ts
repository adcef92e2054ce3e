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
import { openPool } from '../../storage/pool/pool.js';
import { attachHead } from './attachHead.js';

const MAX_CARD_BYTES = 2 ** 20;

export interface GivenModel {
  scan: string;
  pool: string;
  /** A local ONNX file, or an s3:// URI. */
  file: string;
  /** Its description; `model.json` beside it if omitted. */
  card: string | undefined;
  /** Whether the person declares that it was trained on no image of the pool. */
  unseen: boolean;
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
  const { taxonomy } = pool;
  const folder = await mkdtemp(join(tmpdir(), 'partloop-model-'));
  try {
    const file = await fetched(store, given.file, join(folder, 'model.onnx'));
    const cardPlace = given.card ?? beside(given.file);
    const description = await readDescription(store, cardPlace, join(folder, 'card.json'));
    const ours = recorded(modelCardSchema).safeParse(description);
    const taxonomyDigest = digestOfTaxonomy(taxonomy);
    const listed = ours.success && ours.data.trainedOn.list !== null && !given.unseen;
    const trainedOn = listed ? ours.data.trainedOn : await list(store, given);
    let card: ModelCard;
    const scanFile = join(folder, 'scan.onnx');
    if (ours.success) {
      if (ours.data.taxonomyDigest !== taxonomyDigest)
        throw new PartloopError(
          'model-invalid',
          `${cardPlace} was made for a different taxonomy than that of pool \`${given.pool}\``,
        );
      await copyFile(file, scanFile);
      card = ours.data;
      if ((await sha256(scanFile)) !== card.files.scan) {
        throw new PartloopError('model-invalid', `${given.file} is not the scan.onnx that ${cardPlace} names`, {
          hint: 'A model has two files; scan.onnx is the one that judges.',
        });
      }
    } else card = await attachHead(store, pool, { file, out: scanFile, folder, description, place: cardPlace });
    const place = { scan: keys.scanModel(given.scan, 'scan.onnx'), card: keys.scanModel(given.scan, 'model.json') };
    await store.putFile(place.scan, scanFile, 'application/octet-stream');
    await store.put(place.card, JSON.stringify({ ...card, trainedOn }, null, 1), 'application/json');
    return place;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
    throw new PartloopError('not-found', `--model: there is no file ${place}`, { cause });
  });
  if (!facts.isFile()) throw new PartloopError('input-invalid', `--model: ${place} is not a file`);
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

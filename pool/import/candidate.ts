import { createHash } from 'node:crypto';
import { PartloopError } from '../../domain/base/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { readSource } from '../../formats/reading/imageSources.js';
import type { ImportItem } from '../../formats/reading/importItem.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import { poolLabel } from '../label.js';
import type { LabelKeeper } from '../labelKeeper.js';
import { type Candidate, withGiven } from './decide.js';
import type { ImportDecoder } from './decoder.js';

/** Share of the training images that is kept for validation, drawn once, by a hash of the vehicle. */
const VAL_SHARE = 0.05;
const MAX_NAME = 1_024;

export interface CandidateContext {
  store: ObjectStore;
  pool: string;
  taxonomy: Taxonomy;
  history: PoolHistory;
  labels: LabelKeeper;
  decoder: ImportDecoder;
  test: boolean;
  restore: boolean;
  importId: string | null;
  now: Date;
}

/** An image that was read, or one that was removed from the pool with its bytes, which are not stored again. */
export type ReadItem = { candidate: Candidate; notes: string[] } | { removed: true };

/**
 * Read an item, check picture and label, and store both under their digests.
 *
 * @throws PartloopError `data-invalid` with the reason of the refusal; faults of the store
 */
export async function readCandidate(item: ImportItem, context: CandidateContext): Promise<ReadItem> {
  const { store, pool, taxonomy, history, now } = context;
  const { fileName, facts } = item;
  if (fileName.length > MAX_NAME || !fileName.isWellFormed() || fileName.includes('\u0000'))
    throw new PartloopError('data-invalid', 'its name is too long or not valid Unicode');
  const { bytes, uri, etag, versionId } = await readSource(store, item.image);
  const imageId = sha256(bytes);
  const latest = history.latest(imageId);
  if (latest !== undefined && latest.removedAt !== null && !context.restore) return { removed: true };

  const { width, height, perceptualHash, thumbnail } = await context.decoder.picture(bytes, fileName);
  const { pixels, notes } = await item.label({ width, height }, context.decoder.label);
  if (pixels.length !== width * height)
    throw new PartloopError(
      'data-invalid',
      `its label has ${pixels.length} pixels, the upright picture ${width}×${height}`,
    );
  const label = await poolLabel({ name: pool, taxonomy }, pixels, { width, height });
  const { classes } = label;
  const known = await sameLabel(context, imageId, pixels, label.labelSha256);
  if (known === null) await context.labels.put(label, history.revisions(imageId));
  const labelSha256 = known ?? label.labelSha256;
  const labelUri = keys.label(pool, labelSha256);
  const imageUri = uri ?? keys.image(pool, imageId);
  if (uri === null) await store.putIfAbsent(imageUri, bytes);
  const tags = { ...NO_TAGS, ...facts.tags };
  const given = Object.entries(tags).flatMap(([name, value]) => (value === null ? [] : name));
  const row: IndexRow = {
    imageId,
    fileName,
    imageUri,
    imageEtag: etag,
    imageVersion: versionId,
    labelUri,
    labelSha256,
    width,
    height,
    ...tags,
    tagOrigins: withGiven('{}', given),
    vehicleId: facts.vehicleId,
    source: facts.source ?? 'in-house',
    split: facts.split ?? (context.test ? 'test' : drawnSplit(facts.vehicleId ?? imageId)),
    perceptualHash,
    classes,
    labelRevision: 0,
    ingestedAt: now.toISOString(),
    change: 'import',
    changeId: context.importId,
    removedAt: null,
  };
  return { candidate: { row, facts, thumbnail }, notes };
}

/**
 * The digest of a revision of the image with these very pixels: another version of the PNG encoder writes other bytes,
 * but the same label must not look new.
 */
async function sameLabel(
  { store, pool, history }: CandidateContext,
  imageId: string,
  pixels: Uint8Array,
  digest: string,
): Promise<string | null> {
  const known = new Set(history.revisions(imageId).map(({ labelSha256 }) => labelSha256));
  if (known.size === 0 || known.has(digest)) return null;
  for (const labelSha256 of known) {
    const stored = await store.tryGet(keys.label(pool, labelSha256));
    if (stored === null) continue;
    const label = await decodeLabel(stored.body, labelSha256).catch((error: unknown) => {
      if (error instanceof PartloopError && error.code === 'data-invalid') return null;
      throw error;
    });
    if (label !== null && Buffer.compare(label.pixels, pixels) === 0) return labelSha256;
  }
  return null;
}

/** Validation or training by a hash only, so that a vehicle is always on the same side. */
function drawnSplit(unit: string): 'train' | 'val' {
  return Number.parseInt(sha256(Buffer.from(`val ${unit}`)).slice(0, 8), 16) / 2 ** 32 < VAL_SHARE ? 'val' : 'train';
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

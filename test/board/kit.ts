import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { TemporalAccess } from '../../board/loops/temporalLink.js';
import { type ServedBoard, serveBoard } from '../../board/server/serve.js';
import type { Redrawn } from '../../domain/board/batch.js';
import type { FindingKind, ScanImageRow } from '../../domain/tables.js';
import { putBoardLabel } from '../../storage/board.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { HEIGHT, missingPart, type ScannedPool, scannedPool, WIDTH } from '../pool/review/scannedPool.js';
import { ROOT } from '../support/binaries.js';

/** Sizes of the pictures and labels of a pool for the board, pixels. */
export const SIZE = { width: 160, height: 120 };

interface PoolFields {
  fileName?: string;
  kindOf?: (at: number) => FindingKind;
  /** The images with a finding, by their places. */
  isFound?: (at: number) => boolean;
  /** The class of the left half of each label, for labels that miss nothing. */
  labels?: number;
  /** Of every image in the table of the scan. */
  rows?: Partial<ScanImageRow>;
}

/** A pool with real pictures, and a scan that misses class 3 in the left half of each label. */
export async function poolForBoard(
  store: ObjectStore,
  images: number,
  { fileName, kindOf, rows = {}, isFound = () => true, labels }: PoolFields = {},
): Promise<ScannedPool> {
  const pictures = await Promise.all(Array.from({ length: images }, (_, at) => picture(at)));
  for (const { sha256, bytes } of pictures) await store.put(keys.image('cars', sha256), bytes, 'image/png');
  const { width, height } = SIZE;
  const half = (value: number) => (_: unknown, pixel: number) => (pixel % width < width / 2 ? value : 1);
  const label = Uint8Array.from({ length: width * height }, half(labels ?? 0));
  return scannedPool(images, {
    ...{ store, label, size: SIZE, rows },
    image: (at) => {
      const sha256 = pictures[at]?.sha256 ?? '';
      return {
        imageId: sha256,
        imageUri: keys.image('cars', sha256),
        imageEtag: null,
        ...(fileName === undefined ? {} : { fileName }),
        ...(labels === undefined ? {} : { classes: [1, labels] }),
      };
    },
    findings: (image) => {
      const at = pictures.findIndex(({ sha256 }) => sha256 === image.imageId);
      if (!isFound(at)) return [];
      const kind = kindOf === undefined ? {} : { kind: kindOf(at) };
      return [missingPart(image, { findingId: `f-${image.imageId.slice(0, 8)}`, x1: 0.25, ...kind })];
    },
  });
}

async function picture(at: number): Promise<{ sha256: string; bytes: Buffer }> {
  const background = { r: (40 * at) % 256, g: 90, b: 200 - ((17 * at) % 200) };
  const bytes = await sharp({ create: { ...SIZE, channels: 3, background } })
    .png()
    .toBuffer();
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
}

/** A board over a store, on a free port. `close` ends it and removes what it kept. */
export async function boardOver(
  store: ObjectStore,
  { temporal = null, onNote = () => undefined }: { temporal?: TemporalAccess | null; onNote?(text: string): void } = {},
): Promise<ServedBoard> {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'partloop-board-test-'));
  const board = await serveBoard({
    ...{ store, temporal, cacheFolder, dist: join(ROOT, 'dist'), host: '127.0.0.1', port: 0 },
    onError: (error) => {
      throw error;
    },
    onNote,
  });
  return {
    ...board,
    async close() {
      await board.close();
      await rm(cacheFolder, { recursive: true, force: true });
    },
  };
}

/** Keep a label before and after drawing, as the page does; both fill the pictures of `scannedPool`. */
export async function putDrawn(store: ObjectStore, seen: Uint8Array, drawn: Uint8Array): Promise<Redrawn> {
  const put = async (pixels: Uint8Array): Promise<string> =>
    putBoardLabel(store, 'cars', await encodeLabel(pixels, WIDTH, HEIGHT));
  return { seen: await put(seen), drawn: await put(drawn) };
}

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import { REVIEW_FORMATS, type ReviewFormat } from '../../../formats/manifest.js';
import { exportForReview } from '../../../pool/review/exportReview.js';
import { importLabels, type LabelImportReport } from '../../../pool/review/importLabels.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { HEIGHT, SCAN, scannedPool, WIDTH } from '../../../test/pool/review/scannedPool.js';
import type { memoryStore } from '../../../test/support/standIns/memoryStore.js';
import { type MutateFile, mutateFile } from '../mutateFile.js';
import type { Choices } from '../source.js';
import { BrokenPromise, once, type Target } from '../target.js';
import { copyOf, NOW, noInternalErrors, POOL, rowsOf, sameLabels, soundLabels } from './pools.js';

const IMAGES = 3;

/** Parts beside each other, one with a hole, one of a few pixels. */
const label = (): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => {
    const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    if (x > 30) return x === 35 && y === 10 ? 3 : 0;
    if (x > 5 && x < 10 && y > 5 && y < 10) return 0;
    return x < 15 ? 1 : 2;
  });

/** A pool with a finished scan, and the content of its export in a format. */
export interface Exported {
  store: Awaited<ReturnType<typeof copyOf>>;
  files: Map<string, Uint8Array>;
}

export const exported = Object.fromEntries(
  REVIEW_FORMATS.map((format) => [format, once(() => exportAs(format))]),
) as Record<ReviewFormat, () => Promise<Exported>>;

async function exportAs(format: ReviewFormat): Promise<Exported> {
  const { store } = await scannedPool(IMAGES, { label: label() });
  const out = await mkdtemp(join(tmpdir(), 'partloop-fuzz-'));
  try {
    await exportForReview(store, {
      ...{ scan: SCAN, format, out, imageRoot: null, allClasses: true, allImages: true, simplifyPx: 0 },
      ...{ now: NOW, onProgress: () => undefined },
    });
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(out.length + 1), await readFile(path));
    }
    return { store: store as ReturnType<typeof memoryStore>, files };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Files that a format has per image: damage there concerns that image alone. */
const ONE_AN_IMAGE = /^(masks|SegmentationClass|labels)\//;

/** One or two files of an export, spoiled. */
export function spoilExport(
  files: ReadonlyMap<string, Uint8Array>,
  choices: Choices,
  mutate: MutateFile = mutateFile,
): { files: Map<string, Uint8Array>; alone: string | null } {
  const names = [...files.keys()];
  const own = names.filter((name) => ONE_AN_IMAGE.test(name));
  const name = choices.pick(own.length > 0 && choices.chance(0.6) ? own : names);
  const spoiled = new Map(files);
  spoiled.set(name, mutate(name, files.get(name) as Uint8Array, choices));
  if (choices.chance(0.9)) return { files: spoiled, alone: ONE_AN_IMAGE.test(name) ? name : null };
  const second = choices.pick(names);
  spoiled.set(second, mutate(second, spoiled.get(second) as Uint8Array, choices));
  return { files: spoiled, alone: null };
}

/** `review import` of a spoiled export: refused images do not change, and neither do the others. */
export const reviewImports: Target[] = REVIEW_FORMATS.map((format) => ({
  name: `review-${format}`,
  share: 12,
  async run(choices, folder) {
    const { store: full, files } = await exported[format]();
    const store = await copyOf(full);
    const before = await rowsOf(store);
    const { files: spoiled, alone } = spoilExport(files, choices);
    await folder.writeAll(spoiled);
    let report: LabelImportReport;
    try {
      report = await importLabels(store, {
        ...{ path: folder.path, reviewer: null, unchanged: choices.chance(0.5) ? 'right' : null },
        empty: choices.chance(0.5) ? 'deleted' : null,
        ...{ fillHoles: choices.chance(0.5), now: NOW, onProgress: () => undefined },
      });
    } catch (error) {
      sameLabels(before, await rowsOf(store), () => false, 'the import failed');
      if (alone !== null && error instanceof PartloopError)
        throw new BrokenPromise(`one bad file ended the import: ${error.message}`, { cause: error });
      throw error;
    }
    const after = await rowsOf(store);
    noInternalErrors(report.refused);
    const untouched = new Set([...report.refused, ...report.missing, ...report.empty].map(({ imageId }) => imageId));
    const number = alone === null ? null : /(\d+)\.[a-z]+$/.exec(alone)?.[1];
    sameLabels(
      before,
      after,
      ({ imageId, fileName }) => !untouched.has(imageId) && (number == null || fileName.includes(number)),
      'a label changed that should not',
    );
    await soundLabels(store, before, after);
    if (report.revised > 0) {
      await undoReview(store, { pool: POOL, now: NOW });
      sameLabels(before, await rowsOf(store), () => false, 'undone');
    }
    return report.refused.length > 0 ? 'some refused' : report.changed > 0 ? 'changed' : 'unchanged';
  },
}));

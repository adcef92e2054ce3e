import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import type { ImportEntry, ImportReport } from '../../../formats/reading/importItem.js';
import { importImages } from '../../../pool/import/importImages.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { picture, TAXONOMY } from '../../../test/support/pictures/pictures.js';
import { memoryStore } from '../../../test/support/standIns/memoryStore.js';
import type { Choices } from '../source.js';
import { BrokenPromise, CaseFolder, once, type Target } from '../target.js';
import { copyOf, NOW, noInternalErrors, POOL, rowsOf, sameLabels, soundLabels } from './pools.js';

/** Pictures of a case; the last one is the one that is spoiled, the first two are in the pool before. */
export const IMAGES = 4;
export const VICTIM = IMAGES - 1;
const KNOWN = 2;
export const SIZE = { width: 24, height: 16 };

export const pictures = once(() => Promise.all(Array.from({ length: IMAGES }, (_, number) => picture(number))));
export const nameOf = (number: number): string => `${number}.jpg`;

/**
 * What a case does to an import: files in place of others. `alone` says that only the last picture's own are spoiled.
 */
export interface Spoiled {
  files: Map<string, string | Uint8Array>;
  alone: boolean;
}

export interface ImportSubject {
  name: string;
  share: number;
  /** The files of a correct import; `images` tells how many of the pictures it lists. */
  files(images: number): Promise<Map<string, string | Uint8Array>>;
  read(folder: string): AsyncIterable<ImportEntry>;
  spoil(choices: Choices): Promise<Spoiled>;
}

interface Prepared {
  store: ReturnType<typeof memoryStore>;
  /** The label of each picture as the unspoiled files give it, by image id. */
  labels: Map<string, string>;
}

const take = (store: ObjectStore, entries: AsyncIterable<ImportEntry>): Promise<ImportReport> =>
  importImages(store, POOL, TAXONOMY, entries, { onProgress: () => undefined, now: NOW });

/** An import under test: bad items are refused, change nothing, and stop no other. */
export function importTarget(subject: ImportSubject): Target {
  const prepared = once(() => prepare(subject));
  return {
    name: subject.name,
    share: subject.share,
    async run(choices, folder) {
      const { store: full, labels } = await prepared();
      const store = await copyOf(full);
      const before = await rowsOf(store);
      const { files, alone } = await subject.spoil(choices);
      await folder.writeAll(new Map([...(await subject.files(IMAGES)), ...files]));
      let report: ImportReport;
      try {
        report = await take(store, subject.read(folder.path));
      } catch (error) {
        sameLabels(before, await rowsOf(store), () => false, 'the import failed');
        if (alone && error instanceof PartloopError)
          throw new BrokenPromise(`one bad item ended the import: ${error.message}`, { cause: error });
        throw error;
      }
      noInternalErrors(report.refused);
      const after = await rowsOf(store);
      const refused = new Set(report.refused.map(({ fileName }) => fileName));
      sameLabels(before, after, ({ fileName }) => !refused.has(fileName) && !alone, 'a refused item changed a label');
      await soundLabels(store, before, after);
      if (alone) goodOnesAreIn(await ids(), labels, after, report);
      return report.refused.length === 0 ? 'taken' : 'some refused';
    },
  };
}

const ids = once(async () => (await pictures()).map((bytes) => createHash('sha256').update(bytes).digest('hex')));

function goodOnesAreIn(
  images: readonly string[],
  labels: ReadonlyMap<string, string>,
  after: Awaited<ReturnType<typeof rowsOf>>,
  { refused }: ImportReport,
): void {
  for (const imageId of images.slice(0, VICTIM)) {
    if (after.get(imageId)?.labelSha256 === labels.get(imageId)) continue;
    const said = refused.map(({ fileName, reason }) => `${fileName}: ${reason}`).join('; ');
    throw new BrokenPromise(`a good item beside a bad one is not in as it should be: ${said.slice(0, 500)}`);
  }
}

async function prepare(subject: ImportSubject): Promise<Prepared> {
  const path = await mkdtemp(join(tmpdir(), 'partloop-fuzz-'));
  try {
    const folder = new CaseFolder(path);
    await folder.writeAll(await subject.files(IMAGES));
    const all = memoryStore();
    await take(all, subject.read(path));
    const labels = new Map([...(await rowsOf(all)).values()].map(({ imageId, labelSha256 }) => [imageId, labelSha256]));
    if (labels.size !== IMAGES)
      throw new Error(`${subject.name}: only ${labels.size} of ${IMAGES} images come in unspoiled`);
    const store = memoryStore();
    await folder.writeAll(await subject.files(KNOWN));
    await take(store, subject.read(path));
    return { store, labels };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

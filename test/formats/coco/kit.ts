import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCoco } from '../../../formats/coco/import.js';
import { picture, runImport, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

/** Sides of the one picture of most files. */
export const WIDTH = 24;
export const HEIGHT = 16;
export const CATEGORIES = [
  { id: 1, name: '_background_' },
  { id: 2, name: 'hood' },
  { id: 3, name: 'wheel' },
  { id: 4, name: 'mirror' },
  { id: 9, name: 'antenna' },
];
export const box = (x0: number, y0: number, x1: number, y1: number): number[] => [x0, y0, x1, y0, x1, y1, x0, y1];
export const hood = { category_id: 2, segmentation: [box(0, 0, 4, 4)] };
export const imageEntry = (id: number) => ({ id, file_name: `${id}.jpg`, width: WIDTH, height: HEIGHT });

/** A COCO file and its pictures, in a folder of each test's own. */
export class CocoFolder {
  path = '';

  /** For the `describe` that calls this. */
  static perTest(): CocoFolder {
    const folder = new CocoFolder();
    beforeEach(async () => {
      folder.path = await mkdtemp(join(tmpdir(), 'pl-'));
    });
    afterEach(() => rm(folder.path, { recursive: true, force: true }));
    return folder;
  }

  annotationFile(annotations: readonly object[], images: readonly object[] = [imageEntry(1)]): Promise<string> {
    return save(this.path, 'annotations.json', JSON.stringify({ images, categories: CATEGORIES, annotations }));
  }

  /** The result for one picture `1.jpg` with these annotations. */
  async outcome(annotations: readonly object[], more: object = {}, image: object = imageEntry(1)) {
    await save(this.path, 'images/1.jpg', await picture(1));
    const path = await this.annotationFile(
      annotations.map((entry) => ({ image_id: 1, ...entry })),
      [image],
    );
    const store = memoryStore();
    const options = { place: join(this.path, 'images'), annotations: path, taxonomy: TAXONOMY, followLinks: false };
    return { store, ...(await runImport(store, readCoco({ ...options, ...more }))) };
  }
}

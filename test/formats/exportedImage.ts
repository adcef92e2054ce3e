import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../formats/manifest.js';
import { HEIGHT, holedRaster, manifestImage, WIDTH, writePart } from '../pool/review/kit.js';

export const NAMES = ['background', 'hood', 'wheel', 'mirror'];
export const raster = holedRaster();
export const image = manifestImage(1);
export const size = { width: WIDTH, height: HEIGHT };

/** An export of `image` with the label `raster`, in a folder of its own for each test of a suite. */
export function exportedImage(): { readonly folder: string; readonly manifest: Manifest } {
  let folder: string;
  let manifest: Manifest;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    manifest = await writePart(join(folder, 'out'), 'coco', [{ image, raster }]);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return {
    get folder() {
      return folder;
    },
    get manifest() {
      return manifest;
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateDemo } from '../../../demo/pool.js';
import { partloop, partloopJson } from '../cli.js';

/** How many pictures of each kind to draw, and the seed of their scenes. */
export interface Cars {
  seed: number;
  counts: { train: number; val: number; test: number; interior?: number };
  size?: number;
}

/** Draw cars into a folder; the manifest of their labels. */
export async function drawCars(folder: string, { seed, counts, size = 64 }: Cars): Promise<string> {
  const { manifest } = await generateDemo({
    ...{ dir: join(folder, 'cars'), seed, size, truthFile: join(folder, 'truth.jsonl') },
    counts: { interior: 0, ...counts },
  });
  return manifest;
}

/** Arguments that import drawn cars into a pool. */
export const importingCars = (manifest: string, pool: string): string[] => [
  ...['import', 'masks', '--manifest', manifest, '--taxonomy', 'car-parts-34', '--pool', pool],
];

/** A home whose stack runs and whose pool has drawn cars. `remove` stops the one and deletes the other. */
export async function carStack(
  pool: string,
  cars: Cars,
): Promise<{ home: string; manifest: string; remove: () => Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), `partloop-${pool}-`));
  const remove = async (): Promise<void> => {
    await partloop(home, ['down']);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const manifest = await drawCars(home, cars);
    await partloopJson(home, importingCars(manifest, pool));
    return { home, manifest, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

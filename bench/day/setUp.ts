import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { readMaskManifest } from '../../formats/masks/import.js';
import { importImages } from '../../pool/import/importImages.js';
import { writeIngestRules } from '../../pool/ingest/rules.js';
import { startLoop } from '../../steering/loopClient.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { type Car, type Cars, maskPng } from './cars.js';

export const POOL = 'day';
export const LOOP = 'day';
/** Longest side of the pictures, and what the network sees. */
export const SIZE = 96;
const TRAIN_ITERATIONS = 20;
/** Share of the pool that requests may remove: the pool is small. */
const LARGEST_REMOVAL = 0.1;

/** The operator's part before the day: the pool with its test set, and the rules of its drops. */
export async function makePool(store: ObjectStore, folder: string, { val, test }: Cars): Promise<void> {
  const lines: string[] = [];
  const write = async (car: Car, split: 'val' | 'test'): Promise<void> => {
    const { name, jpeg, pixels, size, tags, vehicleId } = car;
    await writeFile(join(folder, `${name}.jpg`), jpeg);
    await writeFile(join(folder, `${name}.png`), await maskPng(pixels, size));
    lines.push(JSON.stringify({ image: `${name}.jpg`, label: `${name}.png`, tags, vehicleId, split }));
  };
  await mkdir(folder, { recursive: true });
  for (const car of val) await write(car, 'val');
  for (const car of test) await write(car, 'test');
  const manifest = join(folder, 'manifest.jsonl');
  await writeFile(manifest, lines.join('\n'));
  const entries = readMaskManifest({ manifest });
  await importImages(store, POOL, carParts34, entries, { test: false, onProgress: () => undefined, now: new Date() });
  await setRules(store, {});
}

/** Rules of the day's drops; `waitHours` 0 ends all waiting. */
export async function setRules(store: ObjectStore, rules: { waitHours?: number }): Promise<void> {
  await writeIngestRules(store, await openPool(store, POOL), { largestRemoval: LARGEST_REMOVAL, ...rules });
}

/** Begin a loop that waits for images, and begins by itself from then on. */
export async function beginLoop(client: Client, newImages: number, seed: number): Promise<void> {
  await startLoop(client, {
    ...{ pool: POOL, loop: LOOP, seed, iterations: 1, chunkSize: newImages, sampleShare: 0.5 },
    ...{ imageSize: SIZE, trainIterations: TRAIN_ITERATIONS, batchSize: 4 },
    settings: {
      evaluationSize: SIZE,
      // More threads than idle cores cost a training more than they give.
      train: { threads: 1, checkpointEvery: 10 },
      scan: { shardSize: 32, auditSample: 2 },
      policy: { newImages, begin: 'by-itself' },
    },
  });
}

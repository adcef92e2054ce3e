import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreFault } from '../network/proxy.js';
import { between, type Fault, type World } from './fault.js';

const faulty = (kind: Fault['kind'], draw: (random: () => number) => StoreFault): Fault => ({
  kind,
  target: 'proxy',
  async inject({ home, random, signal }) {
    const seconds = between(random, 1, 15);
    const hit = await home.proxy.misbehave(draw(random), seconds * 1_000, signal);
    return hit === 0 ? null : `${hit} requests in ${seconds.toFixed(1)} s`;
  },
});

/** A store that answers wrongly, late, or not at all. */
export const storeFaults: Fault[] = [
  faulty('s3-errors', (random) => ({ kind: 's3-errors', share: between(random, 0.2, 1) })),
  faulty('s3-forbidden', (random) => ({ kind: 's3-forbidden', share: between(random, 0.2, 1) })),
  faulty('s3-truncated', (random) => ({ kind: 's3-truncated', share: between(random, 0.2, 1) })),
  faulty('s3-slow', (random) => ({ kind: 's3-slow', delayMs: between(random, 200, 3_000) })),
  faulty('s3-blackhole', () => ({ kind: 's3-blackhole' })),
];

/** The disk of trainings, and that of pictures and models. */
export const diskFaults: Fault[] = (['work', 'cache'] as const).map((folder) => ({
  kind: 'disk-full',
  target: folder,
  async inject({ home, random, signal }) {
    if (!home.hasDisks) return null;
    const empty = await home.fillDisk(folder);
    const seconds = between(random, 2, 12);
    await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
    await empty();
    return `for ${seconds.toFixed(1)} s`;
  },
}));

/** Objects that can be made anew, by kind. */
const REPLACEABLE = {
  derivative: /^pools\/[^/]+\/derivatives\//,
  shard: /\/shards\/.*\.json\.gz$/,
  plan: /\/plan\/[^/]+\/[^/]+\/(plan\.json|.*\.parquet)$/,
  checkpoint: /\/checkpoints\//,
  commit: /\/commit\.json$/,
} as const;

async function anyOf({ home, random }: World, matching: RegExp): Promise<string | null> {
  const keys: string[] = [];
  for (const prefix of ['pools/', 'loops/'])
    for await (const { key } of (await home.store()).list(prefix)) if (matching.test(key)) keys.push(key);
  // The newest work is the most likely to be read again: later keys, in the order of iterations.
  return keys.sort()[Math.floor(Math.sqrt(random()) * keys.length)] ?? null;
}

export const objectFaults: Fault[] = Object.entries(REPLACEABLE).flatMap(([target, matching]): Fault[] => [
  {
    kind: 'delete',
    target,
    async inject(world) {
      const key = await anyOf(world, matching);
      if (key === null) return null;
      await (await world.home.store()).delete([key]);
      return key;
    },
  },
  {
    kind: 'damage',
    target,
    async inject(world) {
      const key = await anyOf(world, matching);
      const found = key === null ? null : await (await world.home.store()).tryGet(key);
      if (key === null || found === null) return null;
      const bytes = Buffer.from(found.body);
      const at = Math.floor(world.random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(world.random() * 8));
      await (await world.home.store()).put(key, bytes);
      return `${key}, byte ${at} of ${bytes.length}`;
    },
  },
]);

import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { nameSchema } from '../domain/ids.js';
import { type FindingRow, findingRowSchema } from '../domain/tables.js';
import { readJson } from './json.js';
import { keys } from './keys.js';
import { readLoopState } from './loopState.js';
import type { ObjectStore } from './objectStore.js';
import { streamTable } from './table.js';

/** A finished scan: of an iteration of a loop, or one that was run by itself. */
export interface FoundScan {
  /** `LOOP:N` or `scan-…`: finds the same scan again. */
  id: string;
  pool: string;
  imagesKey: string;
  findingsKey: string;
}

/** `scans/<id>/commit.json`, as far as readers of a scan need it. */
const commitSchema = z.looseObject({
  version: z.literal(1),
  pool: nameSchema,
  outputs: z.looseObject({ images: z.string(), findings: z.string() }),
});

/**
 * A scan by its id: `LOOP` (its last iteration), `LOOP:N`, or `scan-…`.
 *
 * @throws PartloopError `not-found` where there is none, or it is not finished
 */
export async function findScan(store: ObjectStore, id: string): Promise<FoundScan> {
  if (id.startsWith('scan-')) {
    const commit = await store.tryGet(keys.scan(id));
    if (commit !== null) return standaloneScan(store, id);
  }
  const [, loop, number] = /^([a-z0-9][a-z0-9-]{0,62})(?::(\d{1,6}))?$/.exec(id) ?? [];
  if (loop === undefined) {
    throw new PartloopError('input-invalid', `\`${id}\` names no scan`, {
      hint: 'Write the name of a loop, LOOP:N for its iteration N, or the id of a scan.',
    });
  }
  const scans = await loopScans(store, loop);
  const found = number === undefined ? scans.at(-1) : scans.find((scan) => scan.id === `${loop}:${Number(number)}`);
  if (found !== undefined) return found;
  const there = scans.length === 0 ? 'none' : scans.map((scan) => scan.id).join(', ');
  throw new PartloopError('not-found', `there is no finished scan \`${id}\`; loop \`${loop}\` has ${there}`, {
    hint: '`partloop loop status` shows what runs.',
  });
}

/** The findings with these ids, from the scans of a pool, the newest scan first; ids that no scan knows are left out. */
export async function findFindings(
  store: ObjectStore,
  pool: string,
  ids: ReadonlySet<string>,
): Promise<Map<string, FindingRow>> {
  const found = new Map<string, FindingRow>();
  for (const { findingsKey } of await poolScans(store, pool)) {
    if (found.size === ids.size) break;
    for await (const row of streamTable(store, findingsKey, findingRowSchema)) {
      if (ids.has(row.findingId) && !found.has(row.findingId)) found.set(row.findingId, row);
    }
  }
  return found;
}

async function poolScans(store: ObjectStore, pool: string): Promise<FoundScan[]> {
  const scans: FoundScan[] = [];
  for await (const { key } of store.list('scans/')) {
    const id = /^scans\/([^/]+)\/commit\.json$/.exec(key)?.[1];
    if (id !== undefined) scans.push(await standaloneScan(store, id));
  }
  for await (const { key } of store.list('loops/')) {
    const loop = /^loops\/([^/]+)\/state\.json$/.exec(key)?.[1];
    if (loop !== undefined) scans.push(...(await loopScans(store, loop)).reverse());
  }
  return scans.filter((scan) => scan.pool === pool);
}

async function standaloneScan(store: ObjectStore, id: string): Promise<FoundScan> {
  const { pool, outputs } = await readJson(store, keys.scan(id), commitSchema);
  return { id, pool, imagesKey: outputs.images, findingsKey: outputs.findings };
}

/** The scans of a loop's iterations, oldest first. */
async function loopScans(store: ObjectStore, loop: string): Promise<FoundScan[]> {
  const { iterations } = await readLoopState(store, loop);
  return iterations.flatMap(({ iteration, current }) => {
    const { images, findings } = current.results.scan?.outputs ?? {};
    if (images === undefined || findings === undefined) return [];
    return [{ id: `${loop}:${iteration}`, pool: current.config.pool, imagesKey: images, findingsKey: findings }];
  });
}

import { PartloopError } from '../domain/errors.js';
import { type ScanRecord, scanRecordSchema } from '../domain/scanRecord.js';
import type { StepResult } from '../domain/steps.js';
import { parseJson } from './json.js';
import { keys } from './keys.js';
import { readLoopState } from './loopState.js';
import type { ObjectStore } from './objectStore.js';

/** A finished scan, of a loop's iteration or by itself. */
export interface FoundScan {
  /** `<loop>:<iteration>`, or the name of a scan that stands alone. */
  id: string;
  pool: string;
  poolVersion: number;
  /** Keys of its tables and of its summary. */
  images: string;
  findings: string;
  summary: string;
  seconds: number;
}

const ID = /^([a-z0-9][a-z0-9-]{0,62})(?::(\d{1,6}))?$/;

/**
 * The scan that a person names: a scan's own name, a loop (its last scan), or `<loop>:<iteration>`.
 *
 * @throws PartloopError `not-found` saying what there is
 */
export async function findScan(store: ObjectStore, id: string): Promise<FoundScan> {
  const [, name, iteration] = ID.exec(id) ?? [];
  if (name === undefined) {
    throw new PartloopError('input-invalid', `\`${id}\` names no scan`, {
      hint: 'Give a scan (`partloop scan list`), a loop, or `<loop>:<iteration>`.',
    });
  }
  const record = iteration === undefined ? await readScanRecord(store, name) : null;
  if (record !== null) return found(name, record.pool, record.poolVersion, record.result);

  const { iterations } = await readLoopState(store, name);
  const scanned = iterations.filter(({ current }) => current.results.scan !== undefined);
  const entry = iteration === undefined ? scanned.at(-1) : scanned.find((one) => one.iteration === Number(iteration));
  const { scan, draw } = entry?.current.results ?? {};
  if (entry === undefined || scan === undefined) {
    const known = scanned.map((one) => `${name}:${one.iteration}`).join(', ');
    throw new PartloopError(
      'not-found',
      `there is no finished scan \`${id}\`${known === '' ? '' : `; there is ${known}`}`,
      {
        hint: '`partloop scan list` and `partloop loop status` show what there is.',
      },
    );
  }
  return found(`${name}:${entry.iteration}`, entry.current.config.pool, Number(draw?.facts.poolVersion), scan);
}

/** What a scan that stands alone recorded at its end; null where there is none of this name. */
export async function readScanRecord(store: ObjectStore, name: string): Promise<ScanRecord | null> {
  const there = await store.tryGet(keys.scan(name));
  return there === null ? null : parseJson(there.body, keys.scan(name), scanRecordSchema);
}

/** Names of the finished scans that stand alone, in order. */
export async function listScans(store: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list('scans/')) {
    const name = /^scans\/([^/]+)\/commit\.json$/.exec(key)?.[1];
    if (name !== undefined) names.push(name);
  }
  return names.sort();
}

/** All finished scans of a pool, of loops and alone, the newest first. */
export async function poolScans(store: ObjectStore, pool: string): Promise<FoundScan[]> {
  const scans: { at: string; scan: FoundScan }[] = [];
  for (const name of await listScans(store)) {
    const record = await readScanRecord(store, name);
    if (record?.pool === pool)
      scans.push({ at: record.finishedAt, scan: found(name, pool, record.poolVersion, record.result) });
  }
  for (const loop of await listLoops(store)) {
    const { iterations } = await readLoopState(store, loop);
    for (const { iteration, current } of iterations) {
      const { scan, draw } = current.results;
      if (scan === undefined || current.config.pool !== pool) continue;
      const id = `${loop}:${iteration}`;
      scans.push({ at: current.recordedAt, scan: found(id, pool, Number(draw?.facts.poolVersion), scan) });
    }
  }
  return scans.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).map(({ scan }) => scan);
}

async function listLoops(store: ObjectStore): Promise<string[]> {
  const loops: string[] = [];
  for await (const { key } of store.list('loops/')) {
    const name = /^loops\/([^/]+)\/state\.json$/.exec(key)?.[1];
    if (name !== undefined) loops.push(name);
  }
  return loops;
}

function found(id: string, pool: string, poolVersion: number, { outputs, seconds }: StepResult): FoundScan {
  const { images, findings, summary } = outputs;
  if (images === undefined || findings === undefined || summary === undefined)
    throw new PartloopError('data-invalid', `scan \`${id}\` lacks a table`);
  return { id, pool, poolVersion, images, findings, summary, seconds };
}

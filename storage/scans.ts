import { PartloopError } from '../domain/base/errors.js';
import { type TestCopy, testCopiesSchema } from '../domain/draw/drawn.js';
import { type LeftOut, missingImages, missingSchema } from '../domain/images/leftOut.js';
import type { LoopState } from '../domain/loop/state.js';
import { countsOf, type ScanCounts } from '../domain/scan/counts.js';
import { type ScanRecord, scanRecordSchema } from '../domain/scan/record.js';
import type { StepResult } from '../domain/steps.js';
import { keys } from './keys.js';
import { listLoops, readLoopState } from './loopState.js';
import type { ObjectStore } from './objects/objectStore.js';
import { parseJson } from './tables/json.js';

/** A finished scan, of a loop's iteration or outside a loop. */
export interface FoundScan {
  /** `<loop>:<iteration>`, or the name of a scan outside a loop. */
  id: string;
  pool: string;
  poolVersion: number;
  /** Keys of its tables and of its summary. */
  images: string;
  findings: string;
  summary: string;
  seconds: number;
  /** The outcome for every image of the pool; null for older scans. */
  counts: ScanCounts | null;
  /** Key of the list of images that the draw did not find; null if it is unknown. */
  missing: string | null;
}

const ID = /^([a-z0-9][a-z0-9-]{0,62})(?::(\d{1,6}))?$/;

/** True for text that may name a scan: its own name, a loop, or `<loop>:<iteration>`. */
export const isScanId = (text: string): boolean => ID.test(text);

/**
 * The scan that a person names: a scan's own name, a loop (its last scan), or `<loop>:<iteration>`.
 *
 * @throws PartloopError `not-found` listing what there is
 */
export async function findScan(store: ObjectStore, id: string): Promise<FoundScan> {
  const [, name, iteration] = ID.exec(id) ?? [];
  if (name === undefined) {
    throw new PartloopError('input-invalid', `\`${id}\` does not name a scan`, {
      hint: 'Give a scan (`partloop scan list`), a loop, or `<loop>:<iteration>`.',
    });
  }
  const record = iteration === undefined ? await readScanRecord(store, name) : null;
  if (record !== null) return found(name, record.pool, record.poolVersion, record.result, missingOf(record));

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
        hint: '`partloop scan list` and `partloop loop status` show all scans and loops.',
      },
    );
  }
  const { pool } = entry.current.config;
  return found(`${name}:${entry.iteration}`, pool, Number(draw?.facts.poolVersion), scan, draw?.outputs.missing);
}

/** The record of a scan outside a loop; null if there is none of this name. */
export async function readScanRecord(store: ObjectStore, name: string): Promise<ScanRecord | null> {
  const there = await store.tryGet(keys.scan(name));
  return there === null ? null : parseJson(there.body, keys.scan(name), scanRecordSchema);
}

/** Names of the finished scans outside loops, in order. */
export async function listScans(store: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list('scans/')) {
    const name = /^scans\/([^/]+)\/commit\.json$/.exec(key)?.[1];
    if (name !== undefined) names.push(name);
  }
  return names.sort();
}

/** All finished scans of a pool, in and outside loops, the newest first. */
export async function poolScans(store: ObjectStore, pool: string): Promise<FoundScan[]> {
  const scans: { at: string; scan: FoundScan }[] = [];
  for (const name of await listScans(store)) {
    const record = await readScanRecord(store, name);
    if (record?.pool === pool)
      scans.push({
        at: record.finishedAt,
        scan: found(name, pool, record.poolVersion, record.result, missingOf(record)),
      });
  }
  for (const loop of await listLoops(store)) {
    const state = await readLoopState(store, loop);
    for (const iteration of state.iterations) {
      const scan = scanOf(loop, iteration);
      if (scan?.pool === pool) scans.push({ at: iteration.current.recordedAt, scan });
    }
  }
  return scans.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).map(({ scan }) => scan);
}

const TABLES = ['images', 'findings', 'summary'];

/** The finished scans of a loop, the newest first; one that lacks a table is left out. */
export function loopScans({ loop, iterations }: LoopState): FoundScan[] {
  return iterations.toReversed().flatMap((iteration) => {
    const outputs = iteration.current.results.scan?.outputs ?? {};
    return TABLES.every((name) => name in outputs) ? (scanOf(loop, iteration) ?? []) : [];
  });
}

function scanOf(loop: string, { iteration, current }: LoopState['iterations'][number]): FoundScan | null {
  const { scan, draw } = current.results;
  if (scan === undefined) return null;
  const poolVersion = Number(draw?.facts.poolVersion);
  return found(`${loop}:${iteration}`, current.config.pool, poolVersion, scan, draw?.outputs.missing);
}

/** Older records name only the chunk of the draw: the list is beside it. */
const missingOf = ({ draw, chunk }: ScanRecord): string | undefined =>
  draw === null ? chunk.replace(/[^/]*$/, 'missing.json') : draw.outputs.missing;

/** Images that the draw of a scan did not find, and copies of test images that it and earlier draws did not take. */
export async function readMissing(
  store: ObjectStore,
  { missing }: Pick<FoundScan, 'missing'>,
): Promise<{ missing: LeftOut[]; testCopies: TestCopy[] }> {
  const there = missing === null ? null : await store.tryGet(missing);
  if (there === null || missing === null) return { missing: [], testCopies: [] };
  const found = parseJson(there.body, missing, missingSchema.extend(testCopiesSchema.shape));
  return { missing: missingImages(found), testCopies: found.testCopies };
}

function found(
  id: string,
  pool: string,
  poolVersion: number,
  { outputs, seconds, facts }: StepResult,
  missing: string | undefined,
): FoundScan {
  const { images, findings, summary } = outputs;
  if (images === undefined || findings === undefined || summary === undefined)
    throw new PartloopError('data-invalid', `scan \`${id}\` lacks a table`);
  const counts = countsOf(facts);
  return { id, pool, poolVersion, images, findings, summary, seconds, counts, missing: missing ?? null };
}

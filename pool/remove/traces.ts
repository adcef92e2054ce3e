import { gunzipSync } from 'node:zlib';
import { PartloopError } from '../../domain/base/errors.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { listPools, openPool } from '../../storage/pool.js';
import { streamTexts } from '../../storage/tables/table.js';
import { type LoopFile, type LoopFiles, loopFiles, poolOfLoop } from './loopFiles.js';
import { type ModelTrace, ModelTracer } from './modelTraces.js';
import { namesInReport } from './reportNames.js';

/** A loop, or a scan of its own, that has images. */
export interface LoopTrace {
  loop: string;
  isScan: boolean;
  pool: string | null;
  /** Images that it drew. */
  drawn: number;
  /** Images in the training set of its newest iteration. */
  inTraining: number;
  findings: number;
}

export interface Traces {
  loops: LoopTrace[];
  models: ModelTrace[];
  /** Keys of reports that show or name the images. */
  reports: string[];
  /** Other objects that hold ids or names of the images. */
  tables: string[];
  /** Copies of their labels that iterations of the pool's loops trained on, for no other image. */
  labelCopies: string[];
  otherPools: { pool: string; images: number }[];
  /** Objects that could not be read: whether they hold anything of the images is not known. */
  unreadable: string[];
}

export interface TraceRequest {
  pool: string;
  images: ReadonlySet<string>;
  /** Names that the images have or had. */
  names: ReadonlySet<string>;
  /** Every object of every loop, also of other pools that have the same pictures; else what a loop's next iteration builds on. */
  everywhere: boolean;
  onProgress(objects: number): void;
}

/** Where images of a pool are, beside the pool itself. Objects are read one by one. */
export async function findTraces(store: ObjectStore, request: TraceRequest): Promise<Traces> {
  const { pool: poolName, images, everywhere } = request;
  const traces: Traces = {
    ...{ loops: [], models: [], reports: [], tables: [], labelCopies: [], otherPools: [], unreadable: [] },
  };
  if (images.size === 0) return traces;
  const own = new Set<string>();
  const others = new Set<string>();
  const tracer = new ModelTracer(store, images, readable);
  let objects = 0;

  for await (const loop of loopFiles(store)) {
    let pool: string | null = null;
    await readable(loop.loop, async () => {
      pool = await poolOfLoop(store, loop);
    });
    if (everywhere || pool === poolName) await traceLoop(loop, pool);
  }
  await tracer.traceGiven();
  await tracer.noteProduction();
  traces.models = tracer.models;
  traces.labelCopies = [...own].filter((uri) => !others.has(uri)).sort();
  if (everywhere) await traceTheRest();
  return traces;

  async function traceLoop(loop: LoopFiles, pool: string | null): Promise<void> {
    const drawn = new Set<string>();
    const inTraining = new Set<string>();
    const findings = new Set<string>();
    const newest = Math.max(0, ...loop.files.flatMap((file) => (isTrainingSet(file) ? file.iteration : [])));
    for (const file of loop.files) {
      const { key, name, iteration } = file;
      if (isTrainingSet(file)) {
        if (everywhere || iteration === newest)
          await inTable(key, ['imageId', 'labelUri'], ([imageId = '', labelUri = '']) => {
            if (images.has(imageId) && iteration === newest) inTraining.add(imageId);
            // The same picture in another pool has its own labels, also those that only an iteration has.
            const isOwn = images.has(imageId) && pool === poolName;
            if (labelUri.startsWith('loops/')) (isOwn ? own : others).add(labelUri);
          });
      } else if (name === 'chunk.parquet') await inTable(key, ['imageId'], ([imageId = '']) => drawn.add(imageId));
      else if (name === 'findings.parquet')
        await inTable(key, ['imageId', 'findingId'], ([, findingId = '']) => findings.add(findingId));
      else if (name === 'training-list.json') await traceModel(loop.loop, file);
      else if (name.endsWith('.html')) await traceReport(key);
      else if (everywhere) await traceObject(key);
    }
    if (drawn.size + inTraining.size + findings.size === 0) return;
    const isScan = (await store.head(keys.scan(loop.loop))) !== null;
    const counts = { drawn: drawn.size, inTraining: inTraining.size, findings: findings.size };
    traces.loops.push({ loop: loop.loop, isScan, pool, ...counts });
  }

  /** Rows of the images go to `take`, and those of others too where the table is a training set. */
  async function inTable(key: string, columns: string[], take: (row: string[]) => unknown): Promise<void> {
    await readable(key, async () => {
      let found = false;
      for await (const row of streamTexts(store, key, columns)) {
        const isMeant = images.has(row[0] ?? '');
        found ||= isMeant;
        if (isMeant || columns.includes('labelUri')) take(row);
      }
      if (found) traces.tables.push(key);
    });
  }

  async function traceModel(loop: string, file: LoopFile): Promise<void> {
    await readable(file.key, async () => {
      if (await tracer.trace(loop, file)) traces.tables.push(file.key);
    });
  }

  async function traceReport(key: string): Promise<void> {
    await readable(key, async () => {
      const html = new TextDecoder().decode((await store.get(key)).body);
      for (const name of namesInReport(html)) {
        if (!request.names.has(name)) continue;
        traces.reports.push(key);
        return;
      }
    });
  }

  /** Whether an object that is no table of its own kind holds an id. */
  async function traceObject(key: string): Promise<void> {
    if (key.endsWith('.parquet')) return inTable(key, ['imageId'], () => undefined);
    if (!/\.(json|jsonl|json\.gz)$/.test(key)) return;
    await readable(key, async () => {
      const { body } = await store.get(key);
      const text = key.endsWith('.gz') ? gunzipSync(body).toString() : new TextDecoder().decode(body);
      for (const [id] of text.matchAll(/[0-9a-f]{64}/g)) {
        if (!images.has(id)) continue;
        traces.tables.push(key);
        return;
      }
    });
  }

  /** Scores of test images, answers of reviewers, the pool's own index, and other pools. */
  async function traceTheRest(): Promise<void> {
    for (const prefix of ['evaluations/', keys.reviewsPrefix(poolName), keys.segmentPrefix(poolName)])
      for await (const { key } of store.list(prefix)) await traceObject(key);
    for (const name of await listPools(store)) {
      if (name === poolName) continue;
      await readable(keys.poolPrefix(name), async () => {
        const history = await (await openPool(store, name)).history();
        const there = [...images].filter((imageId) => history.latest(imageId) !== undefined).length;
        if (there > 0) traces.otherPools.push({ pool: name, images: there });
      });
    }
  }

  /** One object that is broken, or gone meanwhile, hides nothing of the others. */
  async function readable(key: string, work: () => Promise<void>): Promise<void> {
    request.onProgress(++objects);
    try {
      await work();
    } catch (error) {
      if (!isBroken(error)) throw error;
      traces.unreadable.push(key);
    }
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof PartloopError && ['data-invalid', 'not-found'].includes(error.code)) ||
  (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'));

const isTrainingSet = ({ name }: LoopFile): boolean => name === 'training-set.parquet';

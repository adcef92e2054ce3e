import { gunzipSync } from 'node:zlib';
import { PartloopError } from '../../domain/base/errors.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { listPools, openPool } from '../../storage/pool/pool.js';
import { streamTexts } from '../../storage/tables/table.js';
import { type LoopFile, type LoopFiles, loopFiles, poolOfLoop } from './loopFiles.js';
import { type ModelTrace, ModelTracer } from './modelTraces.js';
import { findDocuments, findRejected } from './rejectedCopies.js';
import { namesInReport } from './reportNames.js';

/** A loop, or a scan outside a loop, that has some of the images. */
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
  /** Other objects that contain ids or names of the images. */
  tables: string[];
  /** Copies of their labels that iterations of the pool's loops trained on, for no other image. */
  labelCopies: string[];
  /** Copies of them, or files of their names that the pool does not know, among what was rejected from its inbox. */
  rejected: string[];
  otherPools: { pool: string; images: number }[];
  /** Unreadable objects: it is unknown whether they contain anything about the images. */
  unreadable: string[];
}

export interface TraceRequest {
  pool: string;
  images: ReadonlySet<string>;
  /** Names that the images have or had. */
  names: ReadonlySet<string>;
  /** Asked for by names that the pool does not know. */
  unknown: ReadonlySet<string>;
  /**
   * Search every object of every loop, also of other pools that have the same pictures; otherwise only the objects on
   * which a loop's next iteration builds.
   */
  everywhere: boolean;
  onProgress(objects: number): void;
}

/** The places of images of a pool outside the pool itself. Objects are read one by one. */
export async function findTraces(store: ObjectStore, request: TraceRequest): Promise<Traces> {
  const search = new TraceSearch(store, request);
  if (request.everywhere) await search.searchRejected();
  if (request.images.size === 0) return search.traces;
  for await (const loop of loopFiles(store)) {
    const pool = await search.poolOf(loop);
    if (request.everywhere || pool === request.pool) await search.searchLoop(loop, pool);
  }
  await search.searchModels();
  search.nameLabelCopies();
  if (request.everywhere) {
    await search.searchRecordsOfPool();
    await search.searchOtherPools();
  }
  return search.traces;
}

/** A running search, with its results so far. */
class TraceSearch {
  readonly traces: Traces = {
    ...{
      loops: [],
      models: [],
      reports: [],
      tables: [],
      labelCopies: [],
      rejected: [],
      otherPools: [],
      unreadable: [],
    },
  };
  /** Copies of labels that are in training sets for the images, and those that are there for others. */
  private readonly ownCopies = new Set<string>();
  private readonly copiesOfOthers = new Set<string>();
  private readonly models: ModelTracer;
  private objects = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly request: TraceRequest,
  ) {
    this.models = new ModelTracer(store, request.images, (key, work) => this.readable(key, work));
  }

  /** null if its record names none or cannot be read. */
  async poolOf(loop: LoopFiles): Promise<string | null> {
    let pool: string | null = null;
    await this.readable(loop.loop, async () => {
      pool = await poolOfLoop(this.store, loop);
    });
    return pool;
  }

  /** One loop's data about the images: rows of its tables, models, reports. */
  async searchLoop(loop: LoopFiles, pool: string | null): Promise<void> {
    const found: FoundInLoop = { pool, drawn: new Set(), inTraining: new Set(), findings: new Set() };
    const newest = Math.max(0, ...loop.files.flatMap((file) => (isTrainingSet(file) ? file.iteration : [])));
    for (const file of loop.files) await this.searchFile(loop, file, newest, found);
    const counts = { drawn: found.drawn.size, inTraining: found.inTraining.size, findings: found.findings.size };
    if (counts.drawn + counts.inTraining + counts.findings === 0) return;
    const isScan = (await this.store.head(keys.scan(loop.loop))) !== null;
    this.traces.loops.push({ loop: loop.loop, isScan, pool, ...counts });
  }

  /** Models of the searched loops, and the ones in production. */
  async searchModels(): Promise<void> {
    await this.models.traceGiven();
    await this.models.noteProduction();
    this.traces.models = this.models.models;
  }

  /** Copies of labels on which the searched loops trained only for these images. */
  nameLabelCopies(): void {
    this.traces.labelCopies = [...this.ownCopies].filter((uri) => !this.copiesOfOthers.has(uri)).sort();
  }

  /** Files that were kept out of the pool, and documents of drops, which name images. */
  async searchRejected(): Promise<void> {
    const { pool, images, names, unknown } = this.request;
    // An id that the pool does not know may be that of a rejected picture.
    const byContent = new Set([...images, ...unknown]);
    this.traces.rejected = await findRejected(this.store, { pool, images: byContent, names: unknown }, (key, work) =>
      this.readable(key, work),
    );
    const all = new Set([...byContent, ...names]);
    const documents = findDocuments(this.store, pool, all, (key, work) => this.readable(key, work));
    this.traces.tables.push(...(await documents));
  }

  /** Scores of test images, answers of reviewers, and the pool's own index. */
  async searchRecordsOfPool(): Promise<void> {
    const { pool } = this.request;
    for (const prefix of ['evaluations/', keys.reviewsPrefix(pool), keys.segmentPrefix(pool)])
      for await (const { key } of this.store.list(prefix)) await this.searchObject(key);
  }

  async searchOtherPools(): Promise<void> {
    const { pool, images } = this.request;
    for (const name of await listPools(this.store)) {
      if (name === pool) continue;
      await this.readable(keys.poolPrefix(name), async () => {
        const history = await (await openPool(this.store, name)).history();
        const there = [...images].filter((imageId) => history.latest(imageId) !== undefined).length;
        if (there > 0) this.traces.otherPools.push({ pool: name, images: there });
      });
    }
  }

  /** @param newest the newest iteration of the loop that has a training set */
  private async searchFile(loop: LoopFiles, file: LoopFile, newest: number, found: FoundInLoop): Promise<void> {
    const { key, name, iteration } = file;
    const { everywhere } = this.request;
    if (isTrainingSet(file)) {
      if (everywhere || iteration === newest) await this.searchTrainingSet(key, iteration === newest, found);
    } else if (name === 'chunk.parquet')
      await this.searchTable(key, ['imageId'], ([imageId = '']) => found.drawn.add(imageId));
    else if (name === 'findings.parquet')
      await this.searchTable(key, ['imageId', 'findingId'], ([, findingId = '']) => found.findings.add(findingId));
    else if (name === 'training-list.json') await this.searchTrainingList(loop.loop, file);
    else if (name.endsWith('.html')) await this.searchReport(key);
    else if (everywhere) await this.searchObject(key);
  }

  private async searchTrainingSet(key: string, isNewest: boolean, { pool, inTraining }: FoundInLoop): Promise<void> {
    await this.searchTable(key, ['imageId', 'labelUri'], ([imageId = '', labelUri = '']) => {
      const isMeant = this.request.images.has(imageId);
      if (isMeant && isNewest) inTraining.add(imageId);
      // The same picture in another pool has its own labels, including those that only an iteration has.
      const isOwn = isMeant && pool === this.request.pool;
      if (labelUri.startsWith('loops/')) (isOwn ? this.ownCopies : this.copiesOfOthers).add(labelUri);
    });
  }

  /** Rows of the images go to `take`; if the table is a training set, rows of other images do too. */
  private async searchTable(key: string, columns: string[], take: (row: string[]) => unknown): Promise<void> {
    await this.readable(key, async () => {
      let found = false;
      for await (const row of streamTexts(this.store, key, columns)) {
        const isMeant = this.request.images.has(row[0] ?? '');
        found ||= isMeant;
        if (isMeant || columns.includes('labelUri')) take(row);
      }
      if (found) this.traces.tables.push(key);
    });
  }

  private async searchTrainingList(loop: string, file: LoopFile): Promise<void> {
    await this.readable(file.key, async () => {
      if (await this.models.trace(loop, file)) this.traces.tables.push(file.key);
    });
  }

  private async searchReport(key: string): Promise<void> {
    await this.readable(key, async () => {
      const html = new TextDecoder().decode((await this.store.get(key)).body);
      for (const name of namesInReport(html)) {
        if (!this.request.names.has(name)) continue;
        this.traces.reports.push(key);
        return;
      }
    });
  }

  /** Whether an object without a known table schema contains an id. */
  private async searchObject(key: string): Promise<void> {
    if (key.endsWith('.parquet')) return this.searchTable(key, ['imageId'], () => undefined);
    if (!/\.(json|jsonl|json\.gz)$/.test(key)) return;
    await this.readable(key, async () => {
      const { body } = await this.store.get(key);
      const text = key.endsWith('.gz') ? gunzipSync(body).toString() : new TextDecoder().decode(body);
      for (const [id] of text.matchAll(/[0-9a-f]{64}/g)) {
        if (!this.request.images.has(id)) continue;
        this.traces.tables.push(key);
        return;
      }
    });
  }

  /** A broken or missing object does not hide the others. */
  private async readable(key: string, work: () => Promise<void>): Promise<void> {
    this.request.onProgress(++this.objects);
    try {
      await work();
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.traces.unreadable.push(key);
    }
  }
}

/** Ids in the tables of one loop: images that it drew, images in its newest training set, findings. */
interface FoundInLoop {
  pool: string | null;
  drawn: Set<string>;
  inTraining: Set<string>;
  findings: Set<string>;
}

const isBroken = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof PartloopError && ['data-invalid', 'not-found'].includes(error.code)) ||
  (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'));

const isTrainingSet = ({ name }: LoopFile): boolean => name === 'training-set.parquet';

import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { Prediction } from '../../inference/judge/judgeMessages.js';
import { JudgeProcess } from '../../inference/judge/judgeProcess.js';
import { fetchModelTo } from '../../inference/modelFile.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { ProcessEnded } from '../../storage/pictures/helperProcess.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import type { ModelFile } from './worst.js';

/** Runs of a model over the images of a page that are kept: two for each of the last four pages. */
const KEPT = 8;
const STALL_MS = 120_000;

/** What a model says of each image; null where it can say nothing. */
type Predictions = ReadonlyMap<string, Prediction | null>;

/**
 * Predictions for the few images of a page, made when somebody looks, in a process of their own. One model runs at a
 * time: a board shares its machine.
 */
export class Predictor {
  readonly #kept = new Map<string, Promise<Predictions>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: ObjectStore,
    private readonly cacheFolder: string,
  ) {}

  /** What a model says of these images. A second look takes no second run. */
  async of(model: ModelFile, taxonomy: Taxonomy, rows: readonly IndexRow[]): Promise<Predictions> {
    const key = [model.digest, ...rows.map(({ imageId }) => imageId)].join(' ');
    const known = this.#kept.get(key);
    const run = known ?? this.#inTurn(() => this.#run(model, taxonomy, rows));
    this.#kept.delete(key);
    this.#kept.set(key, run);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    try {
      return await run;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #run({ key, digest }: ModelFile, taxonomy: Taxonomy, rows: readonly IndexRow[]): Promise<Predictions> {
    const modelPath = await fetchModelTo(this.store, key, digest, join(this.cacheFolder, 'models', `${digest}.onnx`));
    const setup = { modelPath, name: key, threads: 1, provider: 'cpu' as const, taxonomy };
    const made = new Map<string, Prediction | null>();
    let judge: JudgeProcess | null = null;
    try {
      for (const row of rows) {
        judge ??= await opened(setup);
        const found = await predicted(this.store, judge, row);
        made.set(row.imageId, found === 'ended' ? null : found);
        if (found !== 'ended') continue;
        await judge.close();
        judge = null;
      }
    } finally {
      await judge?.close();
    }
    return made;
  }
}

async function opened(setup: Parameters<typeof JudgeProcess.open>[0]): Promise<JudgeProcess> {
  try {
    return await JudgeProcess.open(setup, STALL_MS);
  } catch (cause) {
    if (!(cause instanceof ProcessEnded)) throw cause;
    throw new PartloopError('model-invalid', `loading ${setup.name} ended its process`, { cause });
  }
}

/** A prediction; null if this picture cannot be judged, `ended` if it ended the process. */
async function predicted(store: ObjectStore, judge: JudgeProcess, row: IndexRow): Promise<Prediction | null | 'ended'> {
  try {
    return await judge.predict(await readImage(store, row), row.fileName);
  } catch (error) {
    if (error instanceof ProcessEnded) return 'ended';
    if (error instanceof PartloopError) return null;
    throw error;
  }
}

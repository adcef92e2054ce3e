import { dirname } from 'node:path/posix';
import { parseText } from '../../domain/base/jsonText.js';
import { recorded } from '../../domain/base/recorded.js';
import { benchmarkRegistrySchema } from '../../domain/decide/decision.js';
import { modelCardSchema, trainingListSchema } from '../../domain/train/modelCard.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readJson } from '../../storage/tables/json.js';
import type { LoopFile } from './loopFiles.js';

/** A model that was trained on images. */
export interface ModelTrace {
  /** Keys of the network, of its card, and of the list of its training images. */
  model: string;
  card: string;
  list: string;
  /** Loop or scan that holds it. */
  loop: string;
  iteration: number | null;
  role: 'candidate' | 'fold' | 'control' | 'baseline' | 'given';
  /** Number of the images that it has seen. */
  seen: number;
  /** Whether it is the benchmark, was it, or neither. */
  production: 'now' | 'earlier' | null;
}

/** Does the work for one object, and notes the object if it is broken. */
export type Readable = (key: string, work: () => Promise<void>) => Promise<void>;

/** Collects the models that have seen some of `images`. */
export class ModelTracer {
  readonly models: ModelTrace[] = [];
  /** Lists are long, and several cards may name one. */
  private readonly seenBy = new Map<string, number>();

  constructor(
    private readonly store: ObjectStore,
    private readonly images: ReadonlySet<string>,
    private readonly readable: Readable,
  ) {}

  /** A model by the training list beside it; true if it has seen one. */
  async trace(loop: string, { key, iteration, step }: LoopFile): Promise<boolean> {
    const seen = await this.countSeen(key);
    if (seen === 0) return false;
    const folder = dirname(key);
    const role = step === 'fold' ? 'fold' : step === 'arm' ? 'control' : 'candidate';
    const model = { model: `${folder}/scan.onnx`, card: `${folder}/model.json`, list: key };
    this.models.push({ ...model, loop, iteration, role, seen, production: null });
    return true;
  }

  /** Models that people gave to scans: their cards name a list elsewhere in this store, or none. */
  async traceGiven(): Promise<void> {
    for await (const { key } of this.store.list('scans/')) {
      const scan = /^scans\/([^/]+)\/model\/[^/]+\.json$/.exec(key)?.[1];
      if (scan === undefined) continue;
      await this.readable(key, async () => {
        const { body } = await this.store.get(key);
        const card = recorded(modelCardSchema).safeParse(parseText(new TextDecoder().decode(body), key));
        const list = card.data?.trainedOn.list ?? null;
        if (list === null || (await this.store.head(list)) === null) return;
        const seen = await this.countSeen(list);
        const model = { model: `${dirname(key)}/scan.onnx`, card: key, list, loop: scan, iteration: null };
        if (seen > 0) this.models.push({ ...model, role: 'given', seen, production: null });
      });
    }
  }

  /** Those that are or were the benchmark of a taxonomy. */
  async noteProduction(): Promise<void> {
    for await (const { key } of this.store.list('registry/')) {
      await this.readable(key, async () => {
        const registry = await readJson(this.store, key, benchmarkRegistrySchema);
        for (const trace of this.models) {
          const entry = registry.history.find(({ model }) => model.scan === trace.model)?.model;
          if (entry === undefined) continue;
          trace.production = registry.model?.scan === trace.model ? 'now' : 'earlier';
          if (entry.iteration === null) trace.role = 'baseline';
        }
      });
    }
  }

  private async countSeen(list: string): Promise<number> {
    const known = this.seenBy.get(list);
    if (known !== undefined) return known;
    const { images } = await readJson(this.store, list, trainingListSchema);
    const seen = images.filter(({ imageId }) => this.images.has(imageId)).length;
    this.seenBy.set(list, seen);
    return seen;
  }
}

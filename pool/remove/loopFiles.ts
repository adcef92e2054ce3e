import { z } from 'zod';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';

/** Files of an attempt at a step that may contain data about single images. */
export interface LoopFile {
  key: string;
  iteration: number;
  /** `draw`, `scan`, `sample`, `train`, `fold`, `report`, … */
  step: string;
  /** Its name in the attempt's folder, or `commit.json`. */
  name: string;
}

export interface LoopFiles {
  loop: string;
  files: LoopFile[];
}

const KEY = /^loops\/([^/]+)\/iterations\/(\d+)\/([^/]+)\/[^/]+\/(.+)$/;
/** Networks and checkpoints contain nothing readable about an image; labels have no names. */
const SAYS_NOTHING = /\.(onnx|pt|pth|png|log)$/;

/**
 * The files of every loop and scan, including unreferenced attempts, one loop after the other: only one loop's keys are
 * in memory at a time.
 */
export async function* loopFiles(store: ObjectStore): AsyncGenerator<LoopFiles> {
  let loop = '';
  let files: LoopFile[] = [];
  for await (const { key } of store.list('loops/')) {
    const [, own, iteration, step, rest] = KEY.exec(key) ?? [];
    if (own === undefined || step === undefined || rest === undefined || SAYS_NOTHING.test(key)) continue;
    if (own !== loop) {
      if (files.length > 0) yield { loop, files };
      loop = own;
      files = [];
    }
    files.push({ key, iteration: Number(iteration), step, name: rest.slice(rest.indexOf('/') + 1) });
  }
  if (files.length > 0) yield { loop, files };
}

const drawCommitSchema = z.looseObject({ inputs: z.looseObject({ pool: z.string() }) });

/** The pool that a loop or scan draws from; null before its first draw is done. */
export async function poolOfLoop(store: ObjectStore, { files }: LoopFiles): Promise<string | null> {
  const commit = files.find(({ step, name }) => step === 'draw' && name === 'commit.json');
  if (commit === undefined) return null;
  const found = await store.tryGet(commit.key);
  return found === null ? null : parseJson(found.body, commit.key, drawCommitSchema).inputs.pool;
}

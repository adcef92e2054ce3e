import { PartloopError } from '../../domain/base/errors.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import { labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { ProcessEnded } from '../../storage/pictures/helperProcess.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import { isFaultOfAnswer } from '../answer.js';
import { SAMPLE_PICTURES, sampleOrder } from '../samplePictures.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import type { Sight } from './judgeMessages.js';
import { JudgeProcess } from './judgeProcess.js';
import { modelAtFault } from './suspects.js';

/** A model that ends its process for this many pictures and answered none may not judge. */
const PICTURES_THAT_BLAME_THE_MODEL = 2;

export interface ModelTrial {
  store: ObjectStore;
  /** The images to judge; some of them are tried. */
  rows: readonly IndexRow[];
  setup: ThreadSetup;
  stallMs: number;
  signal: AbortSignal;
}

/**
 * Try a model on real pictures before it judges, in a separate process, which also decodes them. Returns warnings.
 *
 * @throws PartloopError `model-invalid` if it ends its process, hangs, or gives no number for half of the pictures
 */
export async function tryModel({ store, rows, setup, stallMs, signal }: ModelTrial): Promise<string[]> {
  const sights: Sight[] = [];
  const faults: string[] = [];
  let ended: ProcessEnded | null = null;
  let judge: JudgeProcess | null = await openJudge(setup, stallMs);
  try {
    for (const row of sampleOrder(rows)) {
      signal.throwIfAborted();
      if (sights.length + faults.length === SAMPLE_PICTURES) break;
      judge ??= await openJudge(setup, stallMs);
      try {
        sights.push(await judge.look(await readImage(store, row), row.fileName));
      } catch (error) {
        if (error instanceof ProcessEnded) {
          [judge, ended] = [null, error];
          faults.push(`${setup.name} ended the process that judged ${row.fileName} (${error.how})`);
        } else if (isFaultOfAnswer(error)) faults.push(error.message);
        else if (!isFaultOfImage(error)) throw error;
      }
      if (ended !== null && sights.length === 0 && faults.length >= PICTURES_THAT_BLAME_THE_MODEL)
        throw modelAtFault(setup.name, `for each of ${faults.length} pictures`, ended);
    }
  } finally {
    await judge?.close();
  }
  return verdictOf(setup.name, setup.taxonomy, sights, faults);
}

async function openJudge(setup: ThreadSetup, stallMs: number): Promise<JudgeProcess> {
  try {
    return await JudgeProcess.open(setup, stallMs);
  } catch (error) {
    throw error instanceof ProcessEnded ? modelAtFault(setup.name, 'when it was loaded', error) : error;
  }
}

/** Warnings about a model's answers to real pictures; throws if it can judge none. */
export function verdictOf(
  model: string,
  taxonomy: Taxonomy,
  sights: readonly Sight[],
  faults: readonly string[],
): string[] {
  const shown = sights.length + faults.length;
  if (shown === 0) return [];
  if (2 * faults.length >= shown) {
    throw new PartloopError(
      'model-invalid',
      `${model} cannot judge ${faults.length} of ${shown} pictures that it was tried on; the first: ${faults[0]}`,
      { hint: 'Often numbers left the range of float16, or the input is scaled wrongly: export it again as float32.' },
    );
  }
  const warnings = [...faults];
  const names = labelNames(taxonomy);
  const found = new Set(sights.flatMap(({ classes }) => classes));
  const [only] = found;
  if (found.size === 1 && only !== undefined)
    warnings.push(`${model} finds only class \`${names[only]}\` in every pixel of ${sights.length} pictures`);
  // A softmax of a softmax is at most e / (e + classes − 1).
  const ceiling = Math.E / (Math.E + names.length - 1);
  const surest = Math.max(...sights.map((sight) => sight.surest)) / 255;
  if (surest <= ceiling + 1 / 255)
    warnings.push(
      `${model} is never surer than ${(100 * surest).toFixed(0)} % in ${sights.length} pictures: it is hardly trained, or gives probabilities instead of logits`,
    );
  return warnings;
}

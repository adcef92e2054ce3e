import { printLine, printText, say } from '../../../cli/terminal/output.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { describeMachine, machineLine } from '../../machine.js';
import { writeResults } from '../../results.js';
import { realFolders, realPhotos } from './data.js';
import { measureVariant, type VariantResult } from './measure.js';
import { realTables } from './tables.js';
import { judgesOf, type Variant, variantSet } from './variants.js';

export interface RealOptions {
  variants: readonly Variant[];
  seed: number;
  folds: number;
  /** `train.doubtBackground` of the folds; its default if omitted. */
  doubt?: number | undefined;
  iterations: number;
  /** Side of the network's canvas in pixels. */
  size: number;
  /** Photos with an old label, and as many of the others; all if omitted. */
  images?: number;
  peer: boolean;
  /** Folds to train in this run at most; a later run goes on. */
  trainings: number;
  home: string;
  root: string;
  signal: AbortSignal;
}

export const NO_REAL_DATA =
  'The labels as they were before people corrected them are not there: set PARTLOOP_SHARED to the folder that holds dsmlr-car-parts and dsmlr-v1-development.';

/**
 * How well the errors that people made are found; the path of the results, or null if the data is absent.
 *
 * @throws PartloopError `interrupted` if more folds than `trainings` are to be trained; the trained ones are kept
 */
export async function measureReal(options: RealOptions): Promise<string | null> {
  const { variants, seed, size, home, root, signal } = options;
  const folders = realFolders();
  if (folders === null) {
    say(`${NO_REAL_DATA} Skipped.`);
    return null;
  }
  const machine = describeMachine(root);
  printLine(machineLine(machine));
  const photos = await realPhotos(folders, options.images);
  const results: VariantResult[] = [];
  let trained = 0;
  const onTraining = (): void => {
    if (trained++ >= options.trainings)
      throw new PartloopError('interrupted', `${options.trainings} folds are trained, and kept`, {
        hint: 'The same command goes on with the next fold.',
      });
  };
  for (const variant of variants) {
    say(`${variant}, seed ${seed} …`);
    const one = variantSet(variant, photos, size, seed);
    const judged = await judgesOf(one, home, root, { ...options, onTraining, onProgress: say });
    signal.throwIfAborted();
    results.push(await measureVariant(one, judged, options));
  }
  const { variants: _, home: __, root: ___, signal: ____, ...settings } = options;
  const figures = results.map(({ truth: _, ...rest }) => rest);
  const path = await writeResults(home, 'detect', 'real', { machine, settings, variants: figures });
  const rows: string[] = [];
  for (const { variant, truth } of results) {
    rows.push(await writeResults(home, 'detect', `real-${variant}-images`, truth.images));
    rows.push(await writeResults(home, 'detect', `real-${variant}-findings`, truth.findings));
  }
  printText(`\n${realTables(results)}\n\n${[path, ...rows].join('\n')}`);
  return path;
}

import { copyFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import type { Truth } from '../certify/population.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { photoFolder } from '../scan/photos.js';
import { differences, OURS } from './compare.js';
import { demoSet, photoSet } from './data.js';
import { measureSeed, type SeedResult } from './measure.js';
import { FOLDS, judgedBy, SETTINGS } from './models.js';
import { probability, variantList, wholeNumber, wholeNumbers } from './options.js';
import { measureReal } from './real/run.js';
import { VARIANTS, type Variant } from './real/variants.js';
import { setTables } from './tables.js';
import { scoreTruthFile } from './truthFile.js';

interface Options {
  data: 'demo' | 'photos' | 'all' | 'real';
  seeds: number[];
  images?: number;
  iterations?: number;
  model?: string;
  peer: boolean;
  truth?: string;
  scan?: string;
  seed: number;
  folds: number;
  size?: number;
  variants: readonly Variant[];
  trainings?: number;
  doubt?: number;
  json?: string;
}

/**
 * `npm run bench -- detect`: how well a scan finds planted label errors, beside cleanlab on the same
 * out-of-fold predictions.
 */
export function detectCommand(): Command {
  return new Command('detect')
    .description('How well planted label errors are found, beside cleanlab on the same out-of-fold predictions')
    .addOption(
      new Option('--data <set>', 'Rendered cars or DSMLR photos with planted errors, both, or errors that people made')
        .choices(['demo', 'photos', 'all', 'real'])
        .default('all'),
    )
    .option('--seeds <list>', 'Seeds, separated by commas', wholeNumbers, [201, 202, 203])
    .option('--images <n>', 'Images a seed (default: 600 rendered, all photos)', wholeNumber)
    .option('--iterations <n>', 'Training iterations a fold (default: 800 rendered, 400 photos, 600 real)', wholeNumber)
    .option('--doubt <p>', '`train.doubtBackground` of the folds', probability)
    .option('--model <file>', 'Judge with this scan.onnx instead of training folds')
    .option('--no-peer', 'Leave cleanlab out')
    .option('--seed <n>', 'Seed, with --data real', wholeNumber, 1)
    .option('--folds <n>', 'Folds, with --data real', wholeNumber, FOLDS)
    .option('--size <pixels>', 'Side of the network, with --data real (default: 256)', wholeNumber)
    .option('--variants <list>', `With --data real, of: ${VARIANTS.join(', ')}`, variantList, [...VARIANTS])
    .option('--trainings <n>', 'With --data real: train at most so many folds now; later runs go on', wholeNumber)
    .option('--json <file>', 'With --data real: write the figures to this file too')
    .option('--truth <file>', 'Score a scan against a CSV with the columns file_name and wrong, and do nothing else')
    .option('--scan <file>', 'The images.csv of that scan')
    .action(async (options: Options) => {
      if (options.truth !== undefined || options.scan !== undefined) return scoreTruth(options);
      if (options.data === 'real') return measureRealErrors(options, interruption());
      await measure(options, interruption());
    });
}

async function measure(options: Options, signal: AbortSignal): Promise<void> {
  const home = partloopHome();
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  for (const name of ['demo', 'photos'] as const) {
    if (options.data !== 'all' && options.data !== name) continue;
    const { imageSize, iterations } = SETTINGS[name];
    const results: SeedResult[] = [];
    for (const seed of options.seeds) {
      say(`${name}, seed ${seed} …`);
      const set =
        name === 'demo'
          ? await demoSet(seed, imageSize, options.images)
          : await photoSet(photoFolder(), seed, imageSize, options.images);
      if (set === null) {
        say('The DSMLR photos are not there: set PARTLOOP_SHARED to the folder that holds dsmlr-car-parts. Skipped.');
        break;
      }
      const run = { seed, iterations: options.iterations ?? iterations, doubt: options.doubt, signal, onProgress: say };
      const judged = await judgedBy(options.model, set, home, ROOT, run);
      signal.throwIfAborted();
      results.push(await measureSeed(set, judged, seed, { home, root: ROOT, peer: options.peer }));
    }
    if (results.length === 0) continue;
    const compared = differences(results);
    const path = await writeResults(home, 'detect', name, { machine, options, differences: compared, seeds: results });
    for (const { seed, wrong, scores } of results) {
      const truth = wrong.map((is, at): Truth => ({ id: `${seed}:${at}`, p: scores[OURS]?.[at] ?? 0, wrong: is }));
      await writeResults(home, 'detect', `${name}-${seed}-images`, truth);
    }
    printText(`\n${setTables(name, results, compared)}\n\n${path}`);
  }
}

/** Errors that people made, with the defaults of `SETTINGS`. */
async function measureRealErrors(options: Options, signal: AbortSignal): Promise<void> {
  const { seed, folds, variants, images, peer, doubt } = options;
  const path = await measureReal({
    ...{ seed, folds, variants, peer, doubt, signal, home: partloopHome(), root: ROOT },
    iterations: options.iterations ?? SETTINGS.real.iterations,
    size: options.size ?? SETTINGS.real.imageSize,
    trainings: options.trainings ?? Number.POSITIVE_INFINITY,
    ...(images === undefined ? {} : { images }),
  });
  if (path !== null && options.json !== undefined) await copyFile(path, options.json);
}

async function scoreTruth({ truth, scan }: Options): Promise<void> {
  if (truth === undefined || scan === undefined)
    throw new PartloopError('input-invalid', '--truth and --scan belong together', {
      hint: '`--scan` is the images.csv that `partloop scan export` writes.',
    });
  const score = await scoreTruthFile(truth, scan);
  const path = await writeResults(partloopHome(), 'detect', 'truth', score);
  printLine(
    markdownTable([
      {
        images: score.images,
        wrong: score.wrong,
        AUROC: fixed(score.ranking.auroc),
        AP: fixed(score.ranking.averagePrecision),
        'P@50': fixed(score.ranking.precisionAtTop),
        ECE: fixed(score.calibration.ece),
        'Brier skill': fixed(score.calibration.brierSkill),
        'not in the truth': score.unknown,
        'not scanned': score.unscanned,
      },
    ]),
  );
  printText(`\n${path}`);
}

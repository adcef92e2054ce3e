import { Command } from 'commander';
import { printText, say } from '../../cli/terminal/output.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { demoSet, givenLabel } from '../detect/data.js';
import { judgedBy, SETTINGS } from '../detect/models.js';
import { wholeNumber, wholeNumbers } from '../detect/options.js';
import { analyseSet } from '../detect/scan.js';
import { interruption } from '../interrupt.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { asPriors, compareSlopes, type Refit, refit } from './refit.js';

interface Options {
  seeds: number[];
  images?: number;
  iterations?: number;
  model?: string;
}

/** `npm run bench -- priors`: the coefficients of `domain/scan/calibrate/priors.ts`, fitted beside the present ones. */
export function priorsCommand(): Command {
  return new Command('priors')
    .description("Fits the priors of the scan's regressions on rendered cars, beside the present values")
    .option('--seeds <list>', 'Seeds, separated by commas', wholeNumbers, [201, 202, 203])
    .option('--images <n>', 'Images a seed (default: 600)', wholeNumber)
    .option('--iterations <n>', 'Training iterations a fold (default: 800)', wholeNumber)
    .option('--model <file>', 'Judge with this scan.onnx instead of training folds')
    .action((options: Options) => fitPriors(options, interruption()));
}

async function fitPriors(options: Options, signal: AbortSignal): Promise<void> {
  const home = partloopHome();
  const { imageSize, iterations } = SETTINGS.demo;
  const refits: Refit[] = [];
  let images = 0;
  for (const seed of options.seeds) {
    say(`seed ${seed} …`);
    const set = await demoSet(seed, imageSize, options.images);
    const run = { seed, iterations: options.iterations ?? iterations, signal, onProgress: say };
    const judged = await judgedBy(options.model, set, home, ROOT, run);
    signal.throwIfAborted();
    const analysed = await analyseSet(set, judged, givenLabel, seed);
    refits.push(refit(analysed, set.taxonomy));
    images = set.images.length;
  }
  const slopes = compareSlopes(refits);
  const source = {
    data: `rendered cars, seeds ${options.seeds.join(', ')}, ${images} images each`,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
    date: new Date().toISOString().slice(0, 10),
  };
  const path = await writeResults(home, 'priors', 'demo', { source, slopes });
  const rows = slopes.map(({ family, column, present, refit: value, range }) => ({
    family,
    column,
    present,
    refit: fixed(value, 2),
    range: range === null ? null : range.map((end) => fixed(end, 2)).join(' to '),
  }));
  printText(`\n${markdownTable(rows)}\n\n${asPriors(slopes, source)}\n\n${path}`);
}

import { Command } from 'commander';
import { printText, say } from '../../cli/terminal/output.js';
import { inferTags } from '../../domain/scan/image/inferTags.js';
import { preparePicture } from '../../domain/scan/image/picture.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import type { BenchImage } from '../detect/data.js';
import { crossValidate, type Judged } from '../detect/models.js';
import { probability, wholeNumber, wholeNumbers } from '../detect/options.js';
import { analyseSet } from '../detect/scan.js';
import { type ExperimentPool, poolOf } from '../experiment/pools.js';
import { interruption } from '../interrupt.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { angleErrors, scoreTags, type TagCase } from './score.js';

interface Options {
  seeds: number[];
  tests: number;
  images: number;
  wrong: number;
  size: number;
  iterations: number;
  judges: boolean;
}

/** `npm run bench -- tags`: how often the tags are right that a scan infers where they are missing. */
export function tagsCommand(): Command {
  return new Command('tags')
    .description('Accuracy of inferred tags on rendered cars, whose true tags are known')
    .option('--seeds <list>', 'Seeds, separated by commas', wholeNumbers, [1, 2, 3])
    .option('--tests <n>', 'Cars per seed whose tags are inferred', wholeNumber, 156)
    .option(
      '--images <n>',
      'Images that the judges learn from, with the other options as in `experiment`',
      wholeNumber,
      390,
    )
    .option('--wrong <share>', 'Share of wrong labels among those', probability, 0.15)
    .option('--size <pixels>', 'Side of pictures and networks', wholeNumber, 128)
    .option('--iterations <n>', 'Training iterations of a judge', wholeNumber, 200)
    .option('--no-judges', 'Only from the right labels, without a model')
    .action((options: Options) => measure(options, interruption()));
}

async function measure(options: Options, signal: AbortSignal): Promise<void> {
  const home = partloopHome();
  const fromLabels: TagCase[] = [];
  const fromJudges: TagCase[] = [];
  for (const seed of options.seeds) {
    say(`seed ${seed} …`);
    const pool = await poolOf('cars', { ...options, seed, images: options.judges ? options.images : 0 });
    fromLabels.push(...pool.test.map((image) => perfectCase(image, pool.set.taxonomy)));
    if (!options.judges) continue;
    const run = { seed, iterations: options.iterations, labelOf: pool.given, signal, onProgress: say };
    const judged = await crossValidate(pool.set, home, ROOT, run);
    signal.throwIfAborted();
    fromJudges.push(...(await judgedCases(pool, judged, seed)));
  }
  const path = await writeResults(home, 'tags', options.judges ? 'judged' : 'labels', {
    ...{ options, labels: scoreTags(fromLabels), judged: scoreTags(fromJudges) },
    angles: { labels: angleErrors(fromLabels), judged: angleErrors(fromJudges) },
  });
  printText(`\nFrom right labels in place of a prediction:\n\n${tablesOf(fromLabels)}`);
  if (options.judges) printText(`\nFrom predictions of models that have not seen the car:\n\n${tablesOf(fromJudges)}`);
  printText(`\n${path}`);
}

/** The tags of an image as if the model saw exactly what is there: the best that the rules can do. */
export function perfectCase({ clean, width, height, tags }: BenchImage, taxonomy: Taxonomy): TagCase {
  const size = Math.max(width, height);
  const mask = new Uint8Array(size * size);
  for (let y = 0; y < height; y++) mask.set(clean.subarray(y * width, (y + 1) * width), y * size);
  const sure = new Uint8Array(size * size).fill(255);
  const input = { size, validWidth: width, validHeight: height, label: mask, mask, pMask: sure, pLabel: sure };
  return { truth: tags, inferred: inferTags(preparePicture(input, taxonomy, {})) };
}

/** The test images in turn by each of the judges: none has seen them or their vehicles. */
async function judgedCases({ set, test }: ExperimentPool, { judges }: Judged, seed: number): Promise<TagCase[]> {
  const folds = test.map((_, at) => at % judges.length);
  const { entries } = await analyseSet({ ...set, images: test }, { folds, judges }, ({ clean }) => clean, seed);
  return test.flatMap(({ tags }, at) => {
    const analysis = entries[at]?.analysis ?? null;
    return analysis === null ? [] : [{ truth: tags, inferred: analysis.inferredTags }];
  });
}

function tablesOf(cases: readonly TagCase[]): string {
  const scores = scoreTags(cases).map(({ tag, right, images, inferred, accuracy, low, high, baseline }) => ({
    ...{ tag, right, images, inferred: fixed(inferred) },
    accuracy: `${fixed(accuracy) ?? '–'} [${fixed(low)}, ${fixed(high)}]`,
    'best constant': fixed(baseline),
  }));
  const errors = angleErrors(cases).map(({ angle, images, mean }) => ({ angle, images, 'mean error': fixed(mean, 1) }));
  return `${markdownTable(scores)}\n\n${markdownTable(errors)}`;
}

import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import type { BenchImage } from '../detect/data.js';
import { crossValidate } from '../detect/models.js';
import { probability, wholeNumber, wholeNumbers } from '../detect/options.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { detectable } from '../metrics/paired.js';
import { fixed, writeResults } from '../results.js';
import { type Arm, armOf, BASELINE, CHOICES, FILTERS, nameOf } from './arms.js';
import { type ExperimentSettings, earlierFigures, figuresOf } from './earlier.js';
import { runLoop } from './loop.js';
import { type NetworkOptions, scoredNetwork } from './networks.js';
import { pick, scanPool } from './pick.js';
import { gainsPlot } from './plot.js';
import { type ExperimentPool, POOLS, type PoolName, poolOf } from './pools.js';
import { experimentTables, pairTable, type TrainedArm } from './tables.js';

interface Options {
  arms: Arm[];
  seeds: number[];
  images: number;
  tests: number;
  wrong: number;
  share: number;
  size: number;
  iterations: number;
  rounds: number;
  trainings?: number;
  add: string[];
}

/** The arms that tell the parts of the loop apart: filter, copies, choice. */
const ARMS = [
  'random/off',
  'random/on',
  'random/perfect',
  'distinct/on',
  'need/on',
  'cover/on',
  'balanced/on',
  'entropy/on',
  'shape/on',
  'typical/on',
  'everything/off',
];
/**
 * Standard deviation in points of the difference between two arms over seeds: 3.1 between need and random in four seeds
 * of rendered cars.
 */
const EXPECTED_DEVIATION = 3;
/** Folds learn as long as those of a loop, by share. */
const FOLD_SHARE = 2 / 3;

/** `npm run experiment -- POOL`: what each way to choose images is worth. */
export function experimentCommand(): Command {
  return new Command('experiment')
    .description('Test mIoU by the way in which training images are chosen, with equal training')
    .argument('<pool>', `One of ${POOLS.join(', ')}`, poolName)
    .option(
      '--arms <list>',
      `Choices with a filter, separated by commas: ${CHOICES.join(', ')} / ${FILTERS.join(', ')}`,
      arms,
      arms(ARMS.join(',')),
    )
    .option('--seeds <list>', 'Seeds, separated by commas', wholeNumbers, [1, 2, 3, 4, 5, 6, 7, 8])
    .option('--images <n>', 'Images to choose from', wholeNumber, 780)
    .option('--tests <n>', 'Test images', wholeNumber, 156)
    .option('--wrong <share>', 'Share of wrong labels that are planted', probability, 0.15)
    .option('--share <share>', 'Share of the images that is chosen', probability, 0.25)
    .option('--size <pixels>', 'Side of the networks', wholeNumber, 128)
    .option('--iterations <n>', 'Training iterations', wholeNumber, 300)
    .option('--rounds <n>', 'Iterations of a loop that draws an equal part of the pool in each', wholeNumber, 1)
    .option('--trainings <n>', 'Train at most so many networks now; later runs go on', wholeNumber)
    .option(
      '--add <files>',
      'Figures of earlier runs, separated by commas: what they have is not trained again',
      paths,
      [],
    )
    .action(measure);
}

async function measure(name: PoolName, options: Options): Promise<void> {
  const home = partloopHome();
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const seen = fixed(detectable(options.seeds.length, EXPECTED_DEVIATION), 1);
  printLine(
    `${counted(options.seeds.length, 'seed', 'seeds')}: a true difference of ${seen} points is shown with 80 % power, if differences between two arms vary by ${EXPECTED_DEVIATION} points`,
  );
  const signal = interruption();
  const left = { trainings: options.trainings ?? Number.POSITIVE_INFINITY };
  const onTraining = (): void => {
    if (left.trainings-- > 0) return;
    throw new PartloopError('interrupted', `${options.trainings} networks are trained, and kept`, {
      hint: 'The same command goes on with the next one.',
    });
  };
  const { iterations } = options;
  const run = { home, root: ROOT, iterations, signal, onTraining, onProgress: say };
  const { images, tests, wrong, share, size, rounds } = options;
  const settings: ExperimentSettings = { pool: name, images, tests, wrong, share, size, iterations, rounds };
  const earlier = await earlierFigures(options.add, settings);
  const trained: TrainedArm[] = [];
  const file = `${name}-${Math.round(100 * options.wrong)}-${Math.round(100 * options.share)}-${iterations}-${options.rounds}`;
  for (const seed of options.seeds) {
    const known = options.arms.flatMap((arm) => figuresOf(earlier, arm, seed));
    trained.push(...known);
    const arms = options.arms.filter((arm) => !known.some((one) => one.arm === nameOf(arm)));
    if (arms.length === 0) continue;
    const pool = await poolOf(name, { ...options, seed });
    const judging = { ...run, foldIterations: Math.round(FOLD_SHARE * iterations), seed };
    const wanted = { ...options, arms };
    const found = rounds === 1 ? atOnce(pool, wanted, judging) : inRounds(pool, wanted, judging);
    for await (const one of found) {
      trained.push(one);
      say(`${name} ${seed} ${one.arm}: mIoU ${fixed(one.miou)}, ${one.images} images, ${one.wrong} wrong`);
    }
    await writeResults(home, 'experiment', file, { machine, settings, trained });
  }
  const path = await writeResults(home, 'experiment', file, { machine, settings, trained });
  const plot = path.replace(/json$/, 'svg');
  await writeFile(plot, gainsPlot(trained, nameOf(BASELINE)));
  const tables = `${experimentTables(trained, nameOf(BASELINE))}\n\nmIoU, the row over the column:\n\n${pairTable(trained)}`;
  printText(`\n${tables}\n\n${path}\n${plot}`);
}

type Run = Omit<NetworkOptions, 'name'> & { foldIterations: number };

/** Every arm chooses from the whole pool, after one scan by two folds. */
async function* atOnce(pool: ExperimentPool, { arms: wanted, share }: Options, run: Run): AsyncGenerator<TrainedArm> {
  const { seed, home, root, foldIterations } = run;
  const folds = { ...run, iterations: foldIterations, labelOf: pool.given };
  const judged = await crossValidate(pool.set, home, root, folds);
  run.signal.throwIfAborted();
  const choices = wanted.map(({ choice }) => choice);
  const scanned = await scanPool(pool, judged, seed, choices);
  const budget = Math.round(share * pool.set.images.length);
  for (const arm of wanted) {
    const images = pick(arm, scanned, { budget, seed });
    if (images.length < budget && arm.choice !== 'everything')
      say(`${nameOf(arm)} takes all ${images.length} images that pass: policies differ only if more than ${budget} do`);
    const { scores } = await scoredNetwork(pool, images, { ...run, name: nameOf(arm) });
    yield { arm: nameOf(arm), seed, ...countsOf(pool, images), ...scores };
  }
}

/** Every arm chooses from parts of the pool, one after another; `everything` trains once on all of it. */
async function* inRounds(pool: ExperimentPool, options: Options, run: Run): AsyncGenerator<TrainedArm> {
  const { seed } = run;
  for (const arm of options.arms) {
    if (arm.choice === 'everything') {
      const { images } = pool.set;
      const { scores } = await scoredNetwork(pool, images, { ...run, name: nameOf(arm) });
      yield { arm: nameOf(arm), seed, ...countsOf(pool, images), ...scores };
      continue;
    }
    const loop = { ...run, rounds: options.rounds, share: options.share, name: nameOf(arm) };
    for (const { round, images, scores } of await runLoop(pool, arm, loop)) {
      const name = round === options.rounds ? nameOf(arm) : `${nameOf(arm)} round ${round}`;
      yield { arm: name, seed, ...countsOf(pool, images), ...scores };
    }
  }
}

const countsOf = (pool: ExperimentPool, images: readonly BenchImage[]): Pick<TrainedArm, 'images' | 'wrong'> => ({
  images: images.length,
  wrong: images.filter((image) => pool.isWrong(image)).length,
});

function arms(text: string): Arm[] {
  return text.split(',').map((one) => {
    const arm = armOf(one.trim());
    if (arm === null)
      throw new InvalidArgumentError(`${one} is none of ${CHOICES.join(', ')} with /${FILTERS.join(', /')}.`);
    return arm;
  });
}

const paths = (text: string): string[] => text.split(',').map((path) => path.trim());

function poolName(text: string): PoolName {
  const found = POOLS.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${POOLS.join(', ')}.`);
  return found;
}

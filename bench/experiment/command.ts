import { Command, InvalidArgumentError } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { crossValidate } from '../detect/models.js';
import { probability, wholeNumber, wholeNumbers } from '../detect/options.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { writeResults } from '../results.js';
import { type Arm, armOf, BASELINE, CHOICES, FILTERS, nameOf } from './arms.js';
import { scoredNetwork } from './networks.js';
import { pick, scanPool } from './pick.js';
import { POOLS, type PoolName, poolOf } from './pools.js';
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
  trainings?: number;
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
    .option('--images <n>', 'Images to choose from', wholeNumber, 390)
    .option('--tests <n>', 'Test images', wholeNumber, 156)
    .option('--wrong <share>', 'Share of wrong labels that are planted', probability, 0.15)
    .option('--share <share>', 'Share of the images that is chosen', probability, 0.5)
    .option('--size <pixels>', 'Side of the networks', wholeNumber, 128)
    .option('--iterations <n>', 'Training iterations', wholeNumber, 300)
    .option('--trainings <n>', 'Train at most so many networks now; later runs go on', wholeNumber)
    .action(measure);
}

async function measure(name: PoolName, options: Options): Promise<void> {
  const home = partloopHome();
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
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
  const trained: TrainedArm[] = [];
  const settings = `${name}-${Math.round(100 * options.wrong)}-${Math.round(100 * options.share)}-${iterations}`;
  for (const seed of options.seeds) {
    const pool = await poolOf(name, { ...options, seed });
    const foldIterations = Math.round(FOLD_SHARE * iterations);
    const judging = { ...run, iterations: foldIterations, seed, labelOf: pool.given };
    const judged = await crossValidate(pool.set, home, ROOT, judging);
    signal.throwIfAborted();
    const scanned = await scanPool(pool, judged, seed);
    const budget = Math.round(options.share * pool.set.images.length);
    for (const arm of options.arms) {
      const images = pick(arm, scanned, { budget, seed });
      const { scores } = await scoredNetwork(pool, images, { ...run, seed, name: nameOf(arm) });
      const wrong = images.filter((image) => pool.isWrong(image)).length;
      trained.push({ arm: nameOf(arm), seed, images: images.length, wrong, ...scores });
      say(`${name} ${seed} ${nameOf(arm)}: mIoU ${scores.miou?.toFixed(3)}, ${images.length} images, ${wrong} wrong`);
    }
    await writeResults(home, 'experiment', settings, { machine, options, trained });
  }
  const path = await writeResults(home, 'experiment', settings, { machine, options, trained });
  printText(
    `\n${experimentTables(trained, nameOf(BASELINE))}\n\nmIoU, the row over the column:\n\n${pairTable(trained)}\n\n${path}`,
  );
}

function arms(text: string): Arm[] {
  return text.split(',').map((one) => {
    const arm = armOf(one.trim());
    if (arm === null)
      throw new InvalidArgumentError(`${one} is none of ${CHOICES.join(', ')} with /${FILTERS.join(', /')}.`);
    return arm;
  });
}

function poolName(text: string): PoolName {
  const found = POOLS.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${POOLS.join(', ')}.`);
  return found;
}

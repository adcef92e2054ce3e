import { Command } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { scanConfigSchema } from '../../domain/config.js';
import { reduceScan } from '../../domain/scan/index.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { SETTINGS, trainJudge } from '../detect/models.js';
import { probability, wholeNumber, wholeNumbers } from '../detect/options.js';
import { realFolders, realPhotos, testPhotos } from '../detect/real/data.js';
import { NO_REAL_DATA } from '../detect/real/run.js';
import { judgesOf, variantSet } from '../detect/real/variants.js';
import { analyseSet } from '../detect/scan.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { writeResults } from '../results.js';
import { ARMS, type Arm, type Corrections, labelsOf } from './arms.js';
import { cleaningTables, type TrainedArm } from './tables.js';

interface Options {
  seeds: number[];
  iterations: number;
  size: number;
  judgeSize: number;
  answers: number;
  from: number;
  images?: number;
  trainings?: number;
}

/** `npm run bench -- cleaning`: what corrected labels are worth to a network that learns from them. */
export function cleaningCommand(): Command {
  return new Command('cleaning')
    .description(
      'Test mIoU after training on old labels, on corrections of a scan, and on labels that people corrected',
    )
    .option('--seeds <list>', 'Seeds, separated by commas', wholeNumbers, [1, 2, 3, 4, 5])
    .option('--iterations <n>', 'Training iterations', wholeNumber, SETTINGS.real.iterations)
    .option('--size <pixels>', 'Side of the networks that are compared', wholeNumber, SETTINGS.real.imageSize)
    .option('--judge-size <pixels>', 'Side of the networks that scan', wholeNumber, SETTINGS.real.imageSize)
    .option('--answers <n>', 'Simulated answers to the most probable proposals', wholeNumber, 100)
    .option('--from <p>', 'Least probability of proposals that are applied without an answer', probability, 0.5)
    .option('--images <n>', 'Photos with an old label, and test photos; all if omitted', wholeNumber)
    .option('--trainings <n>', 'Train at most so many networks now; later runs go on', wholeNumber)
    .action(measure);
}

async function measure(options: Options): Promise<void> {
  const home = partloopHome();
  const folders = realFolders();
  if (folders === null) {
    say(`${NO_REAL_DATA} Skipped.`);
    return;
  }
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const signal = interruption();
  const { iterations, size, judgeSize } = options;
  const left = { trainings: options.trainings ?? Number.POSITIVE_INFINITY };
  const onTraining = (): void => {
    if (left.trainings-- > 0) return;
    throw new PartloopError('interrupted', `${options.trainings} networks are trained, and kept`, {
      hint: 'The same command goes on with the next one.',
    });
  };
  const run = { iterations, signal, onTraining, onProgress: say };
  const photos = await realPhotos(folders, options.images);
  const test = (await testPhotos(folders)).slice(0, options.images);
  const old = variantSet('old', photos, judgeSize, 1);
  const judged = await judgesOf(old, home, ROOT, { ...run, seed: 1 });
  const { entries, classIou } = await analyseSet(old.set, judged, old.scanned, 1);
  const scan = reduceScan(entries, old.set.taxonomy, scanConfigSchema.parse({}), classIou);
  const corrections: Partial<Record<Arm, Corrections>> = {};
  const trained: TrainedArm[] = [];
  for (const seed of options.seeds)
    for (const arm of ARMS) {
      const labels = labelsOf(arm, old.set.images, old.scanned, scan, options);
      corrections[arm] = labels.corrections;
      const set = { ...old.set, name: `cleaning ${arm}`, imageSize: size, validation: test };
      const judge = await trainJudge(
        set,
        set.images,
        { ...run, seed, labelOf: labels.labelOf, name: `seed ${seed}` },
        home,
        ROOT,
      );
      signal.throwIfAborted();
      trained.push({ arm, seed, miou: miouOf(judge.classIou ?? {}) });
    }
  const path = await writeResults(home, 'cleaning', 'latest', { machine, options, corrections, trained });
  printText(`\n${cleaningTables(trained, corrections)}\n\n${path}`);
}

/** Mean IoU of the parts, without background and parts that the test photos do not show. */
function miouOf(classIou: Readonly<Record<string, number | null>>): number {
  const known = Object.values(classIou).filter((iou) => iou !== null);
  return known.reduce((sum, iou) => sum + iou, 0) / Math.max(1, known.length);
}

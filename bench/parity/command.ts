import { Command } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { mean } from '../../domain/evaluate/confusion.js';
import { scoreMask } from '../../domain/evaluate/scoreMask.js';
import { summariseEvaluation } from '../../domain/evaluate/summary.js';
import { NO_TAGS } from '../../domain/tags.js';
import { type Taxonomy, taxonomySchema } from '../../domain/taxonomy.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { wholeNumber } from '../detect/options.js';
import { describeMachine, machineLine } from '../machine.js';
import { type Cell, markdownTable, writeResults } from '../results.js';
import { type MaskSet, maskSets } from './maskSets.js';
import { type PublishedAnswer, publishedFigures } from './published.js';

/** Largest wanted difference. */
const WANTED = 1e-6;
const SEED = 'parity-1';

/** `npm run bench -- parity`: the evaluation beside torchmetrics and the published boundary IoU. */
export function parityCommand(): Command {
  return new Command('parity')
    .description(
      'Largest differences of IoU, boundary IoU and calibration error between the evaluation and published definitions',
    )
    .option('--small <n>', 'Small pictures of each kind', wholeNumber, 300)
    .option('--cars <n>', 'Rendered cars at 512 pixels', wholeNumber, 24)
    .action(compare);
}

async function compare({ small, cars }: { small: number; cars: number }): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const sets = maskSets(SEED, { small, cars });
  say('counting with the peers …');
  const { sets: published, versions } = await publishedFigures(sets, partloopHome(), ROOT);
  const rows = sets.map((one, index) => differences(one, published[index]));
  const shown = rows.map((row): Record<string, Cell> => {
    const cells = FIGURES.map((figure): [string, Cell] => [
      figure,
      row[figure] === 0 ? '0' : row[figure].toExponential(1),
    ]);
    return { masks: row.masks, images: row.images, ...Object.fromEntries(cells) };
  });
  printText(`\n${markdownTable(shown)}\n`);
  printLine(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  const worst = Math.max(...rows.flatMap((row) => FIGURES.map((figure) => row[figure])));
  printText(`\n${await writeResults(partloopHome(), 'parity', 'latest', { machine, versions, rows, worst })}`);
  const off = rows.filter((row) => FIGURES.some((figure) => !(row[figure] <= WANTED)));
  if (off.length > 0)
    throw new PartloopError(
      'internal',
      `figures of ${off.map((row) => row.masks).join(', ')} are more than ${WANTED} off`,
    );
}

const FIGURES = [
  'mIoU',
  'IoU of a class',
  'mIoU of an image',
  'boundary IoU',
  'boundary IoU of a class',
  'calibration error',
  'calibration error of a class',
] as const;

/** One line: the largest differences on one set. */
function differences({ name, classes, images }: MaskSet, published: PublishedAnswer['sets'][number] | undefined) {
  if (published === undefined) throw new PartloopError('internal', `the peer says nothing of ${name}`);
  const rows = images.map((image, index) => {
    const imageId = index.toString(16).padStart(64, '0');
    return scoreMask({ imageId, fileName: imageId, vehicleId: null, ...NO_TAGS }, { ...image, classes });
  });
  const summary = summariseEvaluation(rows, taxonomyOf(classes));
  const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
  return {
    masks: name,
    images: images.length,
    mIoU: apart([summary.miou], [mean(known(published.iou))]),
    'IoU of a class': apart(
      summary.classes.map(({ iou }) => iou),
      published.iou,
    ),
    'mIoU of an image': apart(
      rows.map(({ imageMiou }) => imageMiou),
      published.imageMiou,
    ),
    'boundary IoU': apart([summary.boundaryIou], [mean(known(published.boundaryIou))]),
    'boundary IoU of a class': apart(
      summary.classes.map(({ boundaryIou }) => boundaryIou),
      published.boundaryIou,
    ),
    'calibration error': apart([summary.calibrationError], [published.overallCalibrationError]),
    'calibration error of a class': apart(
      summary.classes.map(({ calibrationError }) => calibrationError),
      published.calibrationError,
    ),
  };
}

/** The largest difference; infinite if only one of the two has a figure. */
function apart(ours: readonly (number | null)[], theirs: readonly (number | null)[]): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  return Math.max(
    ...ours.map((own, index) => {
      const other = theirs[index] ?? null;
      if (own === null || other === null) return own === other ? 0 : Number.POSITIVE_INFINITY;
      return Math.abs(own - other);
    }),
  );
}

const taxonomyOf = (classes: number): Taxonomy =>
  taxonomySchema.parse({
    name: 'parity',
    classes: Array.from({ length: classes }, (_, index) => ({
      name: `part_${index + 1}`,
      group: 'major',
    })),
  });

import { Command } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { SAME_LIKENESS } from '../../domain/draw/samePicture.js';
import { SUSPECT_BITS } from '../../domain/draw/suspects.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { type Cell, markdownTable, writeResults } from '../results.js';
import { photoFolder } from '../scan/photos.js';
import { copyPairs, isFound, type Limits, otherPairs, type Pair, share } from './measure.js';
import { CHANGES, isCut, type Original, originals, SIZES } from './pictures.js';

/** The rule of old: the hash alone. */
const BEFORE: Limits = { bits: 2, likeness: -1 };
const NOW: Limits = { bits: SUSPECT_BITS, likeness: SAME_LIKENESS };
const TOLD_EVERY = 200;

/** `npm run bench -- copies`: how well copies of test images are told from other pictures. */
export function copiesCommand(): Command {
  return new Command('copies')
    .description('How many pictures that were saved again are found, and how many others are taken for such')
    .option('--share <x>', 'Share of the photos and cars, such as 0.1', Number, 1)
    .action(measure);
}

async function measure(options: { share: number }): Promise<void> {
  const photos = photoFolder();
  if (photos === null)
    throw new PartloopError('not-found', 'the DSMLR photos are not there', {
      hint: 'Set PARTLOOP_SHARED to the folder with dsmlr-car-parts.',
    });
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const pictures = await originals(photos, options.share, (done, total) => {
    if (done % TOLD_EVERY === 0) say(`${done} of ${total} pictures`);
  });
  const halves = [0, 1].map((half) => pictures.filter((picture) => picture.half === half));
  const [chosenOn = [], measuredOn = []] = halves;
  const tables = { limits: limitRows(chosenOn), found: foundRows(measuredOn), others: otherRows(measuredOn) };
  const alike = halves.map((half) => mostAlike(otherPairs(half).different));
  printText(`\nLimits, on half of the pictures\n\n${markdownTable(tables.limits)}`);
  printText(`\nCopies found, on the other half; by the hash alone\n\n${markdownTable(tables.found)}`);
  printText(`\nOther pairs taken for copies, on that half\n\n${markdownTable(tables.others)}`);
  printText(`\nDifferent pictures most alike, by half\n\n${alike.map((rows) => markdownTable(rows)).join('\n\n')}`);
  printText(`\n${await writeResults(partloopHome(), 'copies', 'latest', { machine, ...tables, alike })}`);
}

const percent = (part: number): string => `${(100 * part).toFixed(part > 0.99 && part < 1 ? 2 : 1)} %`;

/** For each pair of limits: copies found, and others taken for some. */
function limitRows(pictures: readonly Original[]): Record<string, Cell>[] {
  const copies = (wanted: (change: string) => boolean): Pair[] =>
    Object.keys(CHANGES)
      .filter(wanted)
      .flatMap((change) => copyPairs(pictures, change));
  const whole = copies((change) => !isCut(change));
  const cut = copies(isCut);
  const { different, sameVehicle } = otherPairs(pictures);
  return [8, 10, 12, 14, 64].flatMap((bits) =>
    [0.9, 0.95, 0.97, 0.98, 0.99, 0.995].map((likeness) => {
      const holds = (pair: Pair): boolean => isFound(pair, { bits, likeness });
      return {
        'bits at most': bits,
        'likeness at least': likeness,
        'copies found': percent(share(whole, holds)),
        'cut ones found': percent(share(cut, holds)),
        'different pictures compared': percent(share(different, (pair) => pair.bits <= bits)),
        'different pictures refused': different.filter(holds).length,
        'views of one vehicle refused': percent(share(sameVehicle, holds)),
      };
    }),
  );
}

/** For each change and size the share of copies that are found, and in brackets by the hash alone. */
function foundRows(pictures: readonly Original[]): Record<string, Cell>[] {
  return (['photos', 'cars'] as const).flatMap((set) =>
    Object.keys(CHANGES).map((change) => {
      const cells = SIZES.map((size) => {
        const there = pictures.filter((picture) => picture.set === set && picture.size === size);
        const pairs = copyPairs(there, change);
        const [now, before] = [NOW, BEFORE].map((limits) => percent(share(pairs, (pair) => isFound(pair, limits))));
        return [`${size} pixels`, `${now} (${before})`] as const;
      });
      return { pictures: set, change, ...Object.fromEntries(cells) };
    }),
  );
}

function otherRows(pictures: readonly Original[]): Record<string, Cell>[] {
  return (['photos', 'cars'] as const).flatMap((set) =>
    SIZES.flatMap((size) => {
      const there = pictures.filter((picture) => picture.set === set && picture.size === size);
      return Object.entries(otherPairs(there)).flatMap(([pairs, all]) =>
        all.length === 0
          ? []
          : {
              pictures: set,
              pairs: pairs === 'different' ? 'different' : 'of one vehicle',
              pixels: size,
              count: all.length,
              compared: all.filter(({ bits }) => bits <= NOW.bits).length,
              refused: all.filter((pair) => isFound(pair, NOW)).length,
              'refused by the hash alone': all.filter((pair) => isFound(pair, BEFORE)).length,
            },
      );
    }),
  );
}

const mostAlike = (pairs: readonly Pair[]): Record<string, Cell>[] =>
  pairs
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, 16)
    .map(({ names, bits, likeness }) => ({ pair: names.join(', '), bits, likeness: likeness.toFixed(4) }));

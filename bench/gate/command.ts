import { Command } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { wholeNumber } from '../detect/options.js';
import { describeMachine, machineLine } from '../machine.js';
import { type Cell, fixed, markdownTable, writeResults } from '../results.js';
import { LOOKS, quantileOf, RULES } from './rules.js';
import { falsePromotions, powerOf, refusals } from './simulate.js';

/** Sizes of test sets in independent units, with the share of the lives that are simulated. */
const SIZES = [
  { units: 156, part: 1 },
  { units: 500, part: 0.3 },
  { units: 2_000, part: 0.05 },
];
const GAINS = [0.01, 0.02, 0.03];
const SHOWN_LOOKS = [1, 5, 13, 30];
const TOLD_EVERY = 50;

/** `npm run bench -- gate`: false promotions over a test set's life, and what the gate sees at each look. */
export function gateCommand(): Command {
  return new Command('gate')
    .description('False promotions over the life of a test set, power at each look, and what the gate refuses')
    .option('--lives <n>', 'Test sets whose whole life is simulated; fewer of the larger ones', wholeNumber, 1_000)
    .option('--pairs <n>', 'Pairs of models for each figure of power and of refusals', wholeNumber, 200)
    .action(measure);
}

async function measure({ lives, pairs }: { lives: number; pairs: number }): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const quantiles = RULES.map((rule) => ({
    rule: rule.name,
    ...Object.fromEntries(SHOWN_LOOKS.map((look) => [`look ${look}`, fixed(quantileOf(rule, look), 2)])),
  }));
  printText(`\nStandard errors that a gain must exceed\n\n${markdownTable(quantiles)}`);

  const power: Record<string, Cell>[] = [];
  for (const { units } of SIZES)
    for (const gain of GAINS) {
      say(`power of ${units} units for a gain of ${gain} …`);
      const found = powerOf(gain, units, pairs, SHOWN_LOOKS);
      for (const { name } of RULES) {
        const own = found.filter(({ rule }) => rule === name);
        const cells = own.map((one) => [`look ${one.look}`, fixed(one.power, 2)]);
        power.push({ units, gain, rule: name, ...Object.fromEntries(cells) });
      }
    }
  printText(`\nShare of better candidates that are promoted, of ${pairs}\n\n${markdownTable(power)}`);

  const refused = SIZES.slice(0, 2).flatMap(({ units }) => {
    say(`refusals with ${units} units …`);
    return [1, 13].flatMap((look) =>
      refusals(units, look, pairs).map(({ candidate, promoted, rejected, bySlices, byClass }) => ({
        ...{ units, look, candidate, promoted: fixed(promoted), rejected: fixed(rejected) },
        ...{ 'a slice is worse': fixed(bySlices), 'a class is lost': fixed(byClass) },
      })),
    );
  });
  printText(`\nWhat the whole gate says, as shares of ${pairs}\n\n${markdownTable(refused)}`);

  const nulls = SIZES.map(({ units, part }): Record<string, Cell> => {
    const count = Math.max(1, Math.round(lives * part));
    const found = falsePromotions(units, count, (life) => {
      if (life % TOLD_EVERY === 0) say(`lives with ${units} units: ${life} of ${count}`);
    });
    return { units, lives: count, ...Object.fromEntries([...found].map(([name, share]) => [name, fixed(share)])) };
  });
  printText(`\nLives of ${LOOKS} looks in which a candidate that is no better is promoted\n\n${markdownTable(nulls)}`);
  printText(`\n${await writeResults(partloopHome(), 'gate', 'latest', { machine, quantiles, power, refused, nulls })}`);
}

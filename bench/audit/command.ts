import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { startPartloop } from '../program.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { scoreAudit } from './score.js';
import { drawShapes, SHAPE_ERRORS } from './shapes.js';

const AT = 20;
const answerSchema = z.object({
  pool: z.string(),
  scan: z.string(),
  judged: z.number(),
  withFindings: z.number(),
  share: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
  seconds: z.number(),
  suspects: z.array(z.object({ image: z.string(), pMislabelled: z.number(), kind: z.string().nullable() })),
});

interface Options {
  images: number;
  size: number;
  wrong: number;
  minutes: number;
  seed: number;
  set?: string[];
}

/** `npm run bench -- audit`: an audit of simple shapes whose wrong labels are known. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('Precision at 20 of `partloop audit` on a COCO file of three simple shapes with planted errors')
    .option('--images <n>', 'Pictures', Number, 300)
    .option('--size <pixels>', 'Side of a picture', Number, 160)
    .option('--wrong <share>', 'Share of the labels with an error', Number, 0.12)
    .option('--minutes <n>', 'Time of the audit', Number, 15)
    .option('--seed <n>', 'Seed of the pictures', Number, 1)
    .option('--set <path=value...>', 'Settings of the scan')
    .action(measure);
}

async function measure({ images, size, wrong, minutes, seed, set = [] }: Options): Promise<void> {
  const home = partloopHome();
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const folder = join(home, 'bench', 'audit', `${images}-${size}-${wrong}-${seed}`);
  const data = await drawShapes({ folder, images, size, wrongShare: wrong, seed });
  say(`${images} pictures in ${folder}; the audit runs …`);
  const args = ['audit', '--images', data.images, '--annotations', data.annotations, '--minutes', String(minutes)];
  const settings = set.length === 0 ? [] : ['--set', ...set];
  const { ended } = startPartloop(home, [...args, '--out', join(folder, 'audit.html'), ...settings]);
  const found = answerSchema.parse(await ended);
  const errors = [...data.truth.values()].filter((error) => error !== null);
  const isWrong = (name: string): boolean => (data.truth.get(name) ?? null) !== null;
  const names = found.suspects.map(({ image }) => image);
  const score = scoreAudit(names, isWrong, errors.length, AT);
  const kinds = SHAPE_ERRORS.map((kind) => ({
    error: kind,
    planted: errors.filter((error) => error === kind).length,
    'among the reported': names.filter((name) => data.truth.get(name) === kind).length,
  }));
  printText(
    `\n${markdownTable([
      {
        labels: found.judged,
        wrong: errors.length,
        [`precision at ${score.looked}`]: score.precision === null ? '–' : fixed(score.precision),
        'wrong ones reported': score.found === null ? '–' : fixed(score.found),
        'share estimated': found.share === null ? '–' : fixed(found.share.value),
        seconds: found.seconds,
      },
    ])}\n`,
  );
  printText(markdownTable(kinds));
  const options = { images, size, wrong, minutes, seed, set };
  printText(`\n${await writeResults(home, 'audit', 'latest', { machine, options, score, kinds, found })}`);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { trainConfigSchema } from '../../domain/config.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { trainerJob } from '../../domain/train/job.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { dsmlrLists, MINOR_PARTS } from './dsmlr.js';
import { runScript } from './script.js';

/** Longest side of the training pictures of each budget, which `bench/ablation.py` holds. */
const SIZES = { laptop: 128, gpu: 512 } as const;
const GRID = 512;

const score = z.object({ mean: z.number(), baseGains: z.array(z.number()), meanGain: z.number() });
const answerSchema = z.object({
  budget: z.record(z.string(), z.number()),
  seeds: z.array(z.number()),
  arms: z.record(z.string(), z.object({ miou: score, minor: score, sided: score })),
});

interface Options {
  budget: keyof typeof SIZES;
  seeds: string[];
}

/** `npm run bench -- ablation`: each item of the recipe against the recipe without it. */
export function ablationCommand(): Command {
  return new Command('ablation')
    .description('What each item of the recipe is worth on the DSMLR photos, by seeds')
    .addOption(new Option('--budget <name>', 'Size and length of a run').choices(Object.keys(SIZES)).default('laptop'))
    .option('--seeds <n...>', 'Seeds', ['1', '2', '3'])
    .action(measure);
}

async function measure({ budget, seeds }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const folder = join(env.home, 'bench', 'ablation');
  const imageSize = SIZES[budget];
  const lists = await dsmlrLists(env, join(folder, String(imageSize)), { imageSize, grid: GRID });
  const job = trainerJob({
    config: trainConfigSchema.parse({ imageSize, threads: cpus().length }),
    taxonomy: dsmlr18,
    taxonomyDigest: lists.taxonomyDigest,
    trainingSetDigest: lists.trainingSetDigest,
    seed: 1,
    validationSize: GRID,
    attempt: 'bench',
    workDir: join(folder, 'work'),
    train: lists.train,
    val: lists.test,
    weights: 'package',
  });
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'job.json');
  await writeFile(path, JSON.stringify(job, null, 1));
  say('a run that ended is not repeated …');
  const argv = ['--job', path, '--out', join(folder, 'runs'), '--budget', budget, '--seeds', ...seeds];
  const found = await runScript('ablation.py', [...argv, '--minor', ...MINOR_PARTS], answerSchema);
  const rows = Object.entries(found.arms).map(([arm, { miou, minor, sided }]) => ({
    arm,
    mIoU: fixed(miou.mean, 4),
    'recipe minus arm, by seed': miou.baseGains.map((gain) => fixed(gain, 4)).join(', '),
    mean: fixed(miou.meanGain, 4),
    'minor parts': fixed(minor.mean, 4),
    'minor, recipe minus arm': fixed(minor.meanGain, 4),
    'sided parts': fixed(sided.mean, 4),
    'sided, recipe minus arm': fixed(sided.meanGain, 4),
  }));
  printText(`\n${JSON.stringify(found.budget)}, seeds ${found.seeds.join(', ')}\n\n${markdownTable(rows)}`);
  printText(`\n${await writeResults(env.home, 'ablation', budget, { machine, found })}`);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { trainConfigSchema } from '../../domain/config.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { trainerJob } from '../../domain/train/job.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { dsmlrLists } from './dsmlr.js';
import { runScript } from './script.js';

const pair = z.object({ full: z.number(), bare: z.number() });
const answerSchema = z.object({
  device: z.string(),
  iterationsPerSecond: pair,
  ratio: z.number(),
  blocks: z.object({ full: z.array(z.number()), bare: z.array(z.number()) }),
  torch: z.string(),
});

interface Options {
  size: number;
  batch: number;
  iterations: number;
  blocks: number;
}

/** `npm run bench -- train`: the trainer's loop beside the bare step on prepared tensors. */
export function paceCommand(): Command {
  return new Command('train')
    .description("Iterations a second of the trainer's loop beside the bare forward, backward and step")
    .option('--size <pixels>', 'Longest side that the network sees', Number, 256)
    .option('--batch <n>', 'Images a step', Number, 12)
    .option('--iterations <n>', 'Iterations of a block', Number, 10)
    .option('--blocks <n>', 'Blocks of each kind', Number, 6)
    .action(measure);
}

async function measure({ size, batch, iterations, blocks }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const folder = join(env.home, 'bench', 'train');
  const lists = await dsmlrLists(env, folder, { imageSize: size, grid: size });
  const job = trainerJob({
    config: trainConfigSchema.parse({ imageSize: size, batchSize: batch, threads: cpus().length }),
    taxonomy: dsmlr18,
    taxonomyDigest: lists.taxonomyDigest,
    trainingSetDigest: lists.trainingSetDigest,
    seed: 1,
    validationSize: size,
    attempt: 'bench',
    workDir: join(folder, 'work'),
    train: lists.train,
    val: null,
    weights: 'package',
  });
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'job.json');
  await writeFile(path, JSON.stringify(job, null, 1));
  say(`${blocks} blocks of ${iterations} iterations of each kind …`);
  const argv = ['--job', path, '--iterations', String(iterations), '--blocks', String(blocks)];
  const found = await runScript('train.py', argv, answerSchema);
  printLine(
    `\n${markdownTable([
      {
        device: found.device,
        PyTorch: found.torch,
        'size (px)': size,
        batch,
        'the loop (it/s)': fixed(found.iterationsPerSecond.full),
        'the bare step (it/s)': fixed(found.iterationsPerSecond.bare),
        ratio: fixed(found.ratio),
      },
    ])}`,
  );
  printText(`\n${await writeResults(env.home, 'train', 'latest', { machine, size, batch, found })}`);
}

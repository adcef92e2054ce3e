import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import { storeOf } from '../../cli/environment.js';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { loopConfigSchema, trainConfigSchema } from '../../domain/config.js';
import { evaluationSummarySchema } from '../../domain/evaluate/summary.js';
import { dsmlr18 } from '../../domain/taxonomies/dsmlr18.js';
import { type TrainerJob, trainerJob } from '../../domain/train/job.js';
import { evaluateModel } from '../../inference/evaluation/evaluateModel.js';
import { ensureStack, type StackEnvironment } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { digestOf } from '../../storage/digest.js';
import { readJson } from '../../storage/tables/json.js';
import { runTrainer, trainerPython } from '../../training/process/process.js';
import { trainerFailure } from '../../training/process/trainerEnd.js';
import { readResult, type TrainerResult } from '../../training/results.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { type DsmlrLists, dsmlrLists } from './dsmlr.js';

const GRID = 512;

interface Options {
  iterations: number;
  batch: number;
  size: number;
  preset: string;
  weights: string;
  cycles: number;
  flip: boolean;
  seed: number;
}

/**
 * `npm run bench -- accuracy`: the test mIoU of a training on all DSMLR training photos, counted by
 * the trainer and by the evaluation.
 */
export function accuracyCommand(): Command {
  return new Command('accuracy')
    .description('mIoU on the DSMLR test photos after a training on all training photos, counted twice')
    .option('--iterations <n>', 'Optimizer steps', Number, 3_000)
    .option('--batch <n>', 'Images a step', Number, 12)
    .option('--size <pixels>', 'Longest side that the network sees', Number, 256)
    .option('--preset <name>', 'Backbone', 'efficientnet_lite0')
    .option('--weights <where>', 'package, hub, or a file', 'package')
    .option('--cycles <n>', 'Cycles of the learning rate', Number, 1)
    .option('--no-flip', 'Without mirrored pictures')
    .option('--seed <n>', 'Seed', Number, 1)
    .action(measure);
}

async function measure(options: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const folder = join(env.home, 'bench', 'accuracy', digestOf(options).slice(0, 16));
  const lists = await dsmlrLists(env, folder, { imageSize: options.size, grid: GRID });
  say(`${lists.images.train} training photos, ${lists.images.test} test photos`);
  const job = jobOf(lists, folder, options);
  const result = await trained(job, options.weights === 'hub');
  say('the evaluation of the exported file …');
  const summary = await evaluated(env, lists, folder, result);

  const difference = summary.miou === null || result.valMiou === null ? null : Math.abs(summary.miou - result.valMiou);
  printLine(
    `\n${markdownTable([
      {
        preset: options.preset,
        'size (px)': options.size,
        iterations: options.iterations,
        batch: options.batch,
        minutes: fixed(result.seconds / 60, 1),
        'mIoU of the evaluation': fixed(summary.miou, 4),
        'mIoU of the trainer': fixed(result.valMiou, 4),
        difference: fixed(difference, 5),
        'major parts': fixed(summary.majorMiou),
        'minor parts': fixed(summary.minorMiou),
        'boundary IoU': fixed(summary.boundaryIou),
      },
    ])}\n`,
  );
  printLine(
    markdownTable(
      summary.classes.map(({ name, iou }) => ({
        part: name,
        'IoU of the evaluation': fixed(iou, 4),
        'IoU of the trainer': fixed(result.perClassIou[name], 4),
      })),
    ),
  );
  printText(`\n${await writeResults(env.home, 'accuracy', 'latest', { machine, options, result, summary })}`);
}

function jobOf(lists: DsmlrLists, folder: string, options: Options): TrainerJob {
  const config = trainConfigSchema.parse({
    preset: options.preset,
    imageSize: options.size,
    iterations: options.iterations,
    batchSize: options.batch,
    cycles: options.cycles,
    checkpointEvery: 100,
    augment: { flip: options.flip },
  });
  return trainerJob({
    config,
    taxonomy: dsmlr18,
    taxonomyDigest: lists.taxonomyDigest,
    trainingSetDigest: lists.trainingSetDigest,
    seed: options.seed,
    validationSize: GRID,
    attempt: 'bench',
    workDir: join(folder, 'work'),
    train: lists.train,
    val: lists.test,
    weights: options.weights,
  });
}

/** Train to the end, from the last checkpoint if there is one; a finished run is read again. */
async function trained(job: TrainerJob, network: boolean): Promise<TrainerResult> {
  await mkdir(job.workDir, { recursive: true });
  if (existsSync(join(job.workDir, 'result.json'))) return readResult(job.workDir);
  const path = join(job.workDir, 'job.json');
  await writeFile(path, JSON.stringify(job, null, 1));
  const end = await runTrainer({
    python: await trainerPython(ROOT),
    packageRoot: join(ROOT, 'trainer'),
    job: path,
    cwd: job.workDir,
    network,
    stallMs: 30 * 60_000,
    graceMs: 60_000,
    signal: new AbortController().signal,
    onMessage: (message) => {
      if (message.type === 'progress' && message.iteration % 100 === 0) {
        const { iteration, loss, etaSeconds } = message;
        say(
          `  ${iteration} of ${job.settings.iterations}, loss ${loss.toFixed(3)}, about ${Math.ceil(etaSeconds / 60)} min left`,
        );
      }
    },
  });
  const failure = trainerFailure(end);
  if (failure !== null) throw failure;
  return readResult(job.workDir);
}

/** The exported file on the same photos, as a loop evaluates it. */
async function evaluated(env: StackEnvironment, lists: DsmlrLists, folder: string, result: TrainerResult) {
  const store = storeOf(env);
  const modelDigest = result.files['scan.onnx'] ?? '';
  const scanKey = `bench/${modelDigest}.onnx`;
  await store.putFile(scanKey, join(folder, 'work', 'scan.onnx'));
  const { summary } = await evaluateModel(
    { store, home: env.home, root: ROOT, log: pino({ level: 'silent' }) },
    {
      pool: lists.pool,
      poolVersion: lists.poolVersion,
      scanKey,
      modelDigest,
      size: GRID,
      config: loopConfigSchema.parse({ pool: lists.pool }),
      signal: new AbortController().signal,
    },
  );
  return readJson(store, summary, evaluationSummarySchema);
}

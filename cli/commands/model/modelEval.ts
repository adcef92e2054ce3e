import { type Command, Option } from 'commander';
import { pino } from 'pino';
import { z } from 'zod';
import { counted } from '../../../domain/base/counted.js';
import { parseText } from '../../../domain/base/jsonText.js';
import { SPLITS } from '../../../domain/draw/drawColumns.js';
import { resolveConfig, startLoopRequestSchema } from '../../../domain/loop/startRequest.js';
import { type EvaluationRow, evaluationRowSchema, type IndexRow } from '../../../domain/tables.js';
import { evaluateModel } from '../../../inference/evaluation/evaluateModel.js';
import { ROOT } from '../../../infra/home.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../../storage/pool/pool.js';
import { readTable } from '../../../storage/tables/table.js';
import { openEnvironmentStore } from '../../environment.js';
import { type JudgedModel, modelToJudge } from '../../model/judged.js';
import { measure, measureJson, printMeasure } from '../../model/measure.js';
import { name, requestFrom, settingsFrom, wholeNumberBetween } from '../../options.js';
import { stoppable } from '../../terminal/interrupt.js';
import { printJson, say } from '../../terminal/output.js';

const WORST = 10;
const TELL_EVERY_MS = 10_000;
/** Time in which an error is told before the process ends with a thread that hangs in native code. */
const LAST_WORDS_MS = 2_000;

interface Options {
  pool: string;
  split: IndexRow['split'];
  modelCard?: string;
  set?: unknown;
  top: number;
  json?: true;
}

/** `partloop model eval`. */
export function registerEval(model: Command): void {
  model
    .command('eval')
    .description('Measure a model, or any ONNX file, on images of a pool: mIoU, classes, slices, worst images')
    .argument('<model>', 'ONNX file or s3:// URI with a model.json beside it, LOOP:N, or digits of a digest')
    .requiredOption('--pool <pool>', 'The pool whose images judge it', name)
    .addOption(new Option('--split <split>', 'Which of its images').choices(SPLITS).default('test'))
    .option('--model-card <file>', 'Description of an ONNX file, if it is not model.json beside it')
    .option('--set <path=value...>', 'A setting, e.g. --set evaluationSize=1024')
    .option('--top <n>', 'Number of worst images to show', wholeNumberBetween(0, 1_000_000), WORST)
    .option('--json', 'Print one JSON object on stdout')
    .action(evaluate);
}

async function evaluate(text: string, options: Options): Promise<void> {
  const settings = settingsFrom({ set: options.set, fields: { pool: options.pool }, shortFor: { pool: 'pool' } });
  const request = requestFrom(startLoopRequestSchema, { pool: options.pool, ...settings });
  const { env, store } = await openEnvironmentStore();
  const pool = await openPool(store, options.pool);
  const model = await modelToJudge(store, pool, { text, card: options.modelCard, home: env.home });
  const config = resolveConfig(request, pool.name, pool.defaults);
  const asked = settings.settings?.evaluationSize !== undefined;
  const size = asked ? config.evaluationSize : (model.evaluationSize ?? config.evaluationSize);
  const poolVersion = await pool.latestVersion();
  const { split } = options;
  const evaluation = await judge({ store, home: env.home, pool, model, split, poolVersion, size, config });
  const rows: EvaluationRow[] = await readTable(store, evaluation.images, evaluationRowSchema);
  const index = await pool.readDrawColumns(poolVersion);
  const { trainedOn } = model;
  const measured = measure({ rows, index, trainedOn, taxonomy: pool.taxonomy, worst: options.top });
  const { testVersion, leftOut } = evaluation;
  if (options.json === true) {
    const of = { name: model.name, digest: model.digest };
    return printJson({
      model: of,
      pool: pool.name,
      poolVersion,
      split,
      size,
      testVersion,
      leftOut,
      ...measureJson(measured),
    });
  }
  say(
    `${model.name} on ${counted(rows.length, 'image', 'images')} of the ${split} split of pool ${pool.name}, version ${poolVersion}, counted at ${size} pixels`,
    ...leftOut.map(({ fileName, kind, reason }) => `  left out ${fileName}: ${kind}: ${reason}`),
  );
  printMeasure(measured);
  if (split === 'test')
    say(
      'No look at the test set was taken, since nothing was decided. Choose between models on `--split val`: whoever chooses',
      'by test images wears them, and the figures of the chosen model are too good.',
    );
}

interface Judging {
  store: ObjectStore;
  home: string;
  pool: Pool;
  model: JudgedModel;
  split: IndexRow['split'];
  poolVersion: number;
  size: number;
  config: ReturnType<typeof resolveConfig>;
}

/** Judge on this machine; what was judged before, by whomever, is found done. */
function judge({ store, home, pool, model, split, poolVersion, size, config }: Judging) {
  let far = '';
  const parting = (): string[] => [`Stopped${far}; nothing was kept.`];
  let toldAt = Date.now();
  return stoppable(parting, (signal) =>
    evaluateModel(
      { store, home, root: ROOT, log: warnings(), retire: endSoon },
      {
        ...{ pool: pool.name, poolVersion, split, size, config, signal },
        ...{ scanKey: model.scanKey, modelDigest: model.digest, inHand: keys.askedInHand(model.digest) },
        onProgress: (done, total) => {
          far = ` after ${done} of ${counted(total, 'image', 'images')}`;
          if (Date.now() - toldAt < TELL_EVERY_MS) return;
          toldAt = Date.now();
          say(`judged ${done} of ${counted(total, 'image', 'images')}`);
        },
      },
    ),
  );
}

const lineSchema = z.looseObject({ msg: z.string(), error: z.string().optional() });

/** Warnings of the evaluation as lines for people. */
const warnings = () =>
  pino(
    { level: 'warn' },
    {
      write: (line: string) => {
        const { msg, error } = lineSchema.parse(parseText(line, 'a warning'));
        say(`warning: ${msg}${error === undefined ? '' : `: ${error}`}`);
      },
    },
  );

/** A thread that hangs in native code would hold the process for ever: the next call finds the picture at fault. */
const endSoon = (): void => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_WORDS_MS);
};

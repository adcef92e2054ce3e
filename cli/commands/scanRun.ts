import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { standaloneScanWorkflowId } from '../../domain/ids.js';
import { resolveConfig, type ScanRequest, scanRequestSchema } from '../../domain/messages.js';
import { LIGHT_QUEUE } from '../../domain/queues.js';
import { countsOf, countsText } from '../../domain/scan/counts.js';
import { splitChoiceSchema } from '../../domain/scan/split.js';
import type { StepResult } from '../../domain/steps.js';
import { readJson } from '../../storage/json.js';
import type { ObjectStore } from '../../storage/objectStore.js';
import { openPool } from '../../storage/pool.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { interruptible } from '../interrupt.js';
import { asPartloopError } from '../loopClient.js';
import { name, number, requestFrom, settingsFrom } from '../options.js';
import { printJson, say } from '../output.js';
import { uploadScanModel } from '../scanModel.js';
import { watchScan } from '../scanProgress.js';

const { shape } = scanRequestSchema;
const summarySchema = z.object({ warnings: z.array(z.string()) });
const help = (field: keyof typeof shape): string => shape[field].description ?? '';

/** The options that are short for a setting, and the setting. */
const SETTING_OF_OPTION = {
  pool: 'pool',
  crossValidate: 'scan.folds',
  imageSize: 'train.imageSize',
  iterations: 'train.iterations',
  batchSize: 'train.batchSize',
  preset: 'train.preset',
  seed: 'seed',
};

interface Options extends Record<string, unknown> {
  pool: string;
  model?: string;
  modelCard?: string;
  unseen?: true;
  set?: unknown;
  wait?: true;
  json?: true;
}

/** What can be known before the scan starts: the pool is there, and the settings hold with its defaults. */
async function checkScan(store: ObjectStore, request: ScanRequest): Promise<void> {
  const { crossValidate: _, model: __, iterations, pool = '', ...fields } = request;
  const { defaults } = await openPool(store, pool);
  const trainIterations = iterations === undefined ? {} : { trainIterations: iterations };
  resolveConfig({ ...fields, pool, iterations: 1, ...trainIterations }, pool, defaults);
}

/** `partloop scan run`: algo1 over a whole pool, without a loop. */
export function registerRun(scan: Command): void {
  scan
    .command('run')
    .description('Find the mislabelled images of a pool, without a loop')
    .requiredOption('--pool <pool>', 'The pool to scan', name)
    .option('--model <file>', 'An ONNX file or s3:// URI that judges; needs a model.json beside it')
    .option('--model-card <file>', 'Its description, where it is not model.json beside the model')
    .option('--unseen', 'The model was trained on no image of this pool')
    .option('--cross-validate <folds>', help('crossValidate'), number)
    .addOption(new Option('--split <split>', help('split')).choices(splitChoiceSchema.options).default('train'))
    .option('--image-size <pixels>', help('imageSize'), number)
    .option('--iterations <n>', help('iterations'), number)
    .option('--batch-size <n>', help('batchSize'), number)
    .option('--preset <name>', help('preset'))
    .option('--seed <n>', help('seed'), number)
    .option('--set <path=value...>', 'Any other setting, e.g. --set scan.quarantineAt=0.6')
    .option('--wait', 'Wait until the scan is done')
    .option('--json', 'Print one JSON object on stdout')
    .action(run);
}

async function run({ model, modelCard, unseen, set, wait, json, ...fields }: Options): Promise<void> {
  if (model === undefined && (modelCard !== undefined || unseen === true)) {
    throw new PartloopError(
      'input-invalid',
      `${unseen === true ? '--unseen' : '--model-card'} says something of a model, and no --model is given`,
      {
        hint: 'Give `--model FILE`, or leave it out: then the model in production judges, or folds do.',
      },
    );
  }
  if (model !== undefined && fields.crossValidate !== undefined) {
    throw new PartloopError('input-invalid', '--model and --cross-validate exclude each other', {
      hint: 'Folds judge each other, or a model judges all images that it has not seen.',
    });
  }
  // Before the stack is started or a model is copied: what is asked for must make sense.
  const asked = { ...fields, ...settingsFrom({ set, fields, shortFor: SETTING_OF_OPTION }) };
  requestFrom(scanRequestSchema, asked);
  await withClient(async (client, env) => {
    await checkScan(storeOf(env), requestFrom(scanRequestSchema, asked));
    const scanId = `scan-${fields.pool.slice(0, 40)}-${randomBytes(4).toString('hex')}`;
    const place = { scan: scanId, pool: fields.pool, card: modelCard, unseen: unseen === true };
    const uploaded =
      model === undefined ? {} : { model: await uploadScanModel(storeOf(env), { ...place, file: model }) };
    const request = requestFrom(scanRequestSchema, { ...asked, ...uploaded });
    const workflowId = standaloneScanWorkflowId(scanId);
    const handle = await asPartloopError(() =>
      client.workflow.start<(input: unknown) => Promise<StepResult>>('mislabelScan', {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [request],
        staticSummary: `find mislabelled images of pool ${fields.pool}`,
      }),
    );
    const link = uiLink(env, `/namespaces/${env.temporal.namespace}/workflows/${encodeURIComponent(workflowId)}`);
    say(`scan ${scanId} runs`);
    if (link !== null) say(link);
    const started = { scanId, pool: fields.pool, workflowId, link };
    if (wait !== true) {
      if (json === true) printJson(started);
      return;
    }
    const parting = [
      'Stopped waiting. The scan runs on.',
      `\`partloop scan show ${scanId}\` shows it when it is done.`,
    ];
    const { facts, outputs, seconds } = await interruptible(
      () => parting,
      () => asPartloopError(() => watchScan(client, handle, scanId)),
    );
    const { warnings } = await readJson(storeOf(env), outputs.summary ?? '', summarySchema);
    if (json === true) return printJson({ ...started, ...facts, seconds, warnings });
    say(...warnings.map((warning) => `warning: ${warning}`), ...resultLines(scanId, facts));
  });
}

function resultLines(scanId: string, facts: StepResult['facts']): string[] {
  const counts = countsOf(facts);
  const judges = facts.folds === 0 ? `model ${facts.model}` : `${facts.folds} folds`;
  return [
    counts === null ? `scanned ${facts.scanned} images` : countsText(counts),
    `${facts.findings} findings, ${facts.quarantined} images set aside, judged by ${judges}`,
    `\`partloop scan show ${scanId}\` and \`partloop scan export ${scanId} --out DIR\` show what was found, and what was left out.`,
  ];
}

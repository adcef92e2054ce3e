import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { standaloneScanWorkflowId } from '../../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../../domain/base/queues.js';
import { scanRequestSchema } from '../../../domain/messages.js';
import { splitChoiceSchema } from '../../../domain/scan/judge/split.js';
import type { StepResult } from '../../../domain/steps.js';
import { WORKFLOWS } from '../../../domain/workflowNames.js';
import { asPartloopError } from '../../../steering/temporalErrors.js';
import { storeOf, withClient } from '../../environment.js';
import { name, number, requestFrom, settingsFrom } from '../../options.js';
import { followScan } from '../../scan/scanFollowed.js';
import { uploadScanModel } from '../../scan/scanModel.js';
import { planStandaloneScan, tellPlannedScan } from '../../scan/scanPlanned.js';
import { say } from '../../terminal/output.js';

const { shape } = scanRequestSchema;
const help = (field: keyof typeof shape): string => shape[field].description ?? '';

/** The options that abbreviate a setting, and that setting. */
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

/** `partloop scan run`: a scan of a whole pool, without a loop. */
export function registerRun(scan: Command): void {
  scan
    .command('run')
    .description('Find the mislabelled images of a pool, without a loop')
    .requiredOption('--pool <pool>', 'The pool to scan', name)
    .option('--model <file>', 'ONNX file or s3:// URI of the model that judges; needs a model.json beside it')
    .option('--model-card <file>', 'Description of the model, if it is not model.json beside it')
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
      `${unseen === true ? '--unseen' : '--model-card'} describes a model, but no --model is given`,
      {
        hint: 'Give `--model FILE`, or omit both: then the model in production judges, or folds do.',
      },
    );
  }
  if (model !== undefined && fields.crossValidate !== undefined) {
    throw new PartloopError('input-invalid', '--model and --cross-validate exclude each other', {
      hint: 'Folds judge each other, or a model judges all images that it has not seen.',
    });
  }
  // The request is checked before the stack is started or a model is copied.
  const asked = { ...fields, ...settingsFrom({ set, fields, shortFor: SETTING_OF_OPTION }) };
  requestFrom(scanRequestSchema, asked);
  await withClient(async (client, env) => {
    const store = storeOf(env);
    const isAsked = fields.crossValidate !== undefined;
    const plan = await planStandaloneScan(store, requestFrom(scanRequestSchema, asked), {
      hasModel: model !== undefined,
    });
    tellPlannedScan(plan, { model: model ?? null, isAsked });
    const scan = `scan-${fields.pool.slice(0, 40)}-${randomBytes(4).toString('hex')}`;
    const place = { scan, pool: fields.pool, card: modelCard, unseen: unseen === true };
    const uploaded = model === undefined ? {} : { model: await uploadScanModel(store, { ...place, file: model }) };
    const request = requestFrom(scanRequestSchema, { ...asked, ...uploaded });
    const workflowId = standaloneScanWorkflowId(scan);
    await asPartloopError(() =>
      client.workflow.start<(input: unknown) => Promise<StepResult>>(WORKFLOWS.mislabelScan, {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [request],
        staticSummary: `find mislabelled images of pool ${fields.pool}`,
      }),
    );
    say(`scan ${scan} runs`);
    const started = { scan, pool: fields.pool, workflowId };
    await followScan(client, env, started, { wait: wait === true, json: json === true, more: { plan } });
  });
}

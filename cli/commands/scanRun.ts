import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { standaloneScanWorkflowId } from '../../domain/ids.js';
import { parseRequest, scanRequestSchema } from '../../domain/messages.js';
import { LIGHT_QUEUE } from '../../domain/queues.js';
import type { StepResult } from '../../domain/steps.js';
import { storeOf, uiLink, withClient } from '../environment.js';
import { asPartloopError } from '../loopClient.js';
import { number, settingsFrom } from '../options.js';
import { EXIT_INTERRUPTED, printJson, say } from '../output.js';
import { uploadScanModel } from '../scanModel.js';
import { watchScan } from '../scanProgress.js';

const { shape } = scanRequestSchema;
const help = (field: keyof typeof shape): string => shape[field].description ?? '';

interface Options extends Record<string, unknown> {
  pool: string;
  model?: string;
  modelCard?: string;
  unseen?: true;
  set?: unknown;
  wait?: true;
  json?: true;
}

/** `partloop scan run`: algo1 over a whole pool, without a loop. */
export function registerRun(scan: Command): void {
  scan
    .command('run')
    .description('Find the mislabelled images of a pool, without a loop')
    .requiredOption('--pool <pool>', 'The pool to scan')
    .option('--model <file>', 'An ONNX file or s3:// URI that judges; needs a model.json beside it')
    .option('--model-card <file>', 'Its description, where it is not model.json beside the model')
    .option('--unseen', 'The model was trained on no image of this pool')
    .option('--cross-validate <folds>', help('crossValidate'), number)
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
  await withClient(async (client, env) => {
    const scanId = `scan-${fields.pool.slice(0, 40)}-${randomBytes(4).toString('hex')}`;
    const uploaded =
      model === undefined
        ? {}
        : {
            model: await uploadScanModel(storeOf(env), {
              scan: scanId,
              pool: fields.pool,
              file: model,
              card: modelCard,
              unseen: unseen === true,
            }),
          };
    const request = parseRequest(scanRequestSchema, { ...fields, ...settingsFrom(set), ...uploaded }, '`scan run`');
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
    say(`scan ${scanId} runs${link === null ? '' : `\n${link}`}`);
    const started = { scanId, pool: fields.pool, workflowId, link };
    if (wait !== true) {
      if (json === true) printJson(started);
      return;
    }
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    process.once('SIGINT', interrupt);
    try {
      const { facts, seconds } = await asPartloopError(() => watchScan(client, handle, scanId, abort.signal));
      if (json === true) printJson({ ...started, ...facts, seconds });
      else
        say(
          `${Object.entries(facts)
            .map(([name, value]) => `${name} ${value}`)
            .join(
              ', ',
            )}\n\`partloop scan show ${scanId}\` and \`partloop scan export ${scanId} --out DIR\` show what was found.`,
        );
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      say(`\nStopped waiting. The scan runs on; \`partloop scan show ${scanId}\` shows it when it is done.`);
      process.exitCode = EXIT_INTERRUPTED;
    } finally {
      process.removeListener('SIGINT', interrupt);
    }
  });
}

import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { rootFailure } from '../../domain/base/failures/rootFailure.js';
import { countsOf, countsText } from '../../domain/scan/counts.js';
import type { StepResult } from '../../domain/steps.js';
import type { StackEnvironment } from '../../infra/environment.js';
import { asPartloopError } from '../../steering/temporalErrors.js';
import { readJson } from '../../storage/tables/json.js';
import { storeOf, uiLink } from '../environment.js';
import { interruptible } from '../terminal/interrupt.js';
import { printJson, say } from '../terminal/output.js';
import { withProgress } from '../terminal/progress.js';
import { scanProgressLine } from './scanWorkflows.js';

const POLL_MS = 2_000;
const summarySchema = z.object({ warnings: z.array(z.string()) });

/** A scan that belongs to no loop and was started. */
export interface StartedScan {
  scan: string;
  pool: string | null;
  workflowId: string;
}

/**
 * Print where a running scan can be watched; with `wait`, show its progress and finally its findings. `more` is added
 * to the JSON.
 */
export async function followScan(
  client: Client,
  env: StackEnvironment,
  { scan, pool, workflowId }: StartedScan,
  { wait, json, more = {} }: { wait: boolean; json: boolean; more?: Readonly<Record<string, unknown>> },
): Promise<void> {
  const link = uiLink(env, `/namespaces/${env.temporal.namespace}/workflows/${encodeURIComponent(workflowId)}`);
  if (link !== null) say(link);
  const started = { scanId: scan, pool, workflowId, link, ...more };
  if (!wait) {
    if (json) return printJson(started);
    return say(`\`partloop scan list\` shows its progress, \`partloop scan stop ${scan}\` ends it.`);
  }
  const parting = [
    'Stopped waiting. The scan goes on.',
    `\`partloop scan show ${scan}\` shows it when it is done, \`partloop scan stop ${scan}\` ends it.`,
  ];
  const handle = client.workflow.getHandle<(input: unknown) => Promise<StepResult>>(workflowId);
  const { facts, outputs, seconds } = await interruptible(
    () => parting,
    () => asPartloopError(() => watchScan(client, handle, scan)),
  );
  const { warnings } = await readJson(storeOf(env), outputs.summary ?? '', summarySchema);
  if (json) return printJson({ ...started, ...facts, seconds, warnings });
  say(...warnings.map((warning) => `warning: ${warning}`), ...resultLines(scan, facts));
}

/** Wait for a scan, with a line of progress on stderr. */
export async function watchScan(
  client: Client,
  handle: WorkflowHandle<(input: unknown) => Promise<StepResult>>,
  scan: string,
): Promise<StepResult> {
  return withProgress(`scan ${scan}`, async (line) => {
    let shown = '';
    const show = setInterval(() => {
      void scanProgressLine(client, handle.workflowId).then((text) => {
        if (text === shown) return;
        shown = text;
        line.detail(text);
      });
    }, POLL_MS);
    try {
      return await handle.result();
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { code, message, hint, ended } = rootFailure(error);
      const resume = `\`partloop scan resume ${scan}\` goes on with it.`;
      if (ended) {
        const how = error.cause instanceof CancelledFailure ? 'was stopped' : message.replace(/^it /, '');
        throw new PartloopError('interrupted', `scan ${scan} ${how}`, { cause: error, hint: resume });
      }
      // A failure with its own hint is shown unchanged.
      if (code === null || hint !== null) throw error;
      throw new PartloopError(code, message, { cause: error, hint: resume });
    } finally {
      clearInterval(show);
    }
  });
}

function resultLines(scan: string, facts: StepResult['facts']): string[] {
  const counts = countsOf(facts);
  const judges = facts.folds === 0 ? `model ${facts.model}` : counted(Number(facts.folds), 'fold', 'folds');
  const findings = counted(Number(facts.findings), 'finding', 'findings');
  const setAside = counted(Number(facts.quarantined), 'image', 'images');
  return [
    counts === null ? `scanned ${counted(Number(facts.scanned), 'image', 'images')}` : countsText(counts),
    `${findings}, ${setAside} set aside, judged by ${judges}`,
    `\`partloop scan show ${scan}\` and \`partloop scan export ${scan} --out DIR\` show the findings, and the images that were left out.`,
  ];
}

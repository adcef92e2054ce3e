import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { standaloneScanWorkflowId } from '../../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../../domain/base/queues.js';
import { scanProgressText } from '../../../domain/scan/progress.js';
import type { StepResult } from '../../../domain/steps.js';
import { WORKFLOWS } from '../../../domain/workflowNames.js';
import { loopNames } from '../../../steering/knownLoops.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readScanRecord } from '../../../storage/scans.js';
import { storeOf, withClient } from '../../environment.js';
import { name } from '../../options.js';
import { followScan } from '../../scan/scanFollowed.js';
import { endOf, findScanWorkflow, type ScanWorkflow, scanProgress } from '../../scan/scanWorkflows.js';
import { interruptible } from '../../terminal/interrupt.js';
import { printJson, say } from '../../terminal/output.js';
import { withProgress } from '../../terminal/progress.js';

/** `partloop scan stop|resume`. */
export function registerStop(scan: Command): void {
  scan
    .command('stop')
    .description('End a running scan; finished work is kept, and `scan resume` goes on from there')
    .argument('<scan>', 'Name of the scan; `scan list` shows the running ones', name)
    .option('--json', 'Print one JSON object on stdout')
    .action((scan: string, { json }: { json?: true }) => stop(scan, json === true));
  scan
    .command('resume')
    .description('Go on with a scan that was stopped or failed; finished work is kept')
    .argument('<scan>', 'Name of the scan', name)
    .option('--wait', 'Wait until the scan is done')
    .option('--json', 'Print one JSON object on stdout')
    .action((scan: string, { wait, json }: { wait?: true; json?: true }) =>
      resume(scan, { wait: wait === true, json: json === true }),
    );
}

async function stop(scan: string, json: boolean): Promise<void> {
  await withClient(async (client, env) => {
    const found = await findScanWorkflow(client, scan);
    if (found?.status !== 'RUNNING') {
      const state = await stateOf(client, storeOf(env), scan, found);
      if (json) return printJson({ scan, stopped: false, state });
      return say(`scan ${scan} does not run: it ${WORDS[state]}`, ...NEXT[state](scan));
    }
    const { workflowId } = found;
    const handle = client.workflow.getHandle(workflowId);
    const before = await scanProgress(client, workflowId);
    await handle.cancel();
    const parting = ['Stopped waiting. The scan ends when its workers have saved their work.'];
    await interruptible(
      () => parting,
      () =>
        withProgress(`scan ${scan}: stopping; workers save their work`, () => handle.result().catch(() => undefined)),
    );
    const state = await stateOf(client, storeOf(env), scan, await findScanWorkflow(client, scan));
    const progress = (await scanProgress(client, workflowId)) ?? before;
    if (json) return printJson({ scan, stopped: state === 'stopped', state, progress });
    const far = progress === null ? '' : ` (${scanProgressText(progress)})`;
    say(`scan ${scan} ${WORDS[state]}${state === 'stopped' ? far : ''}`, ...NEXT[state](scan));
  });
}

async function resume(scan: string, { wait, json }: { wait: boolean; json: boolean }): Promise<void> {
  await withClient(async (client, env) => {
    const found = await findScanWorkflow(client, scan);
    const isRunning = found?.status === 'RUNNING';
    const state = isRunning ? null : await stateOf(client, storeOf(env), scan, found);
    if (state === 'finished') {
      if (json) return printJson({ scan, resumed: false, state });
      return say(`scan ${scan} is finished`, ...NEXT.finished(scan));
    }
    const workflowId = isRunning ? found.workflowId : standaloneScanWorkflowId(scan);
    if (!isRunning)
      await client.workflow.start<(input: unknown) => Promise<StepResult>>(WORKFLOWS.mislabelScan, {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [found?.input],
        staticSummary: `go on with scan ${scan}`,
      });
    say(isRunning ? `scan ${scan} runs already` : `scan ${scan} goes on`);
    await followScan(client, env, { scan, pool: found?.pool ?? null, workflowId }, { wait, json });
  });
}

type State = 'finished' | 'stopped' | 'failed';

const WORDS: Readonly<Record<State, string>> = { finished: 'is finished', stopped: 'is stopped', failed: 'failed' };

const NEXT: Readonly<Record<State, (scan: string) => string[]>> = {
  finished: (scan) => [`\`partloop scan show ${scan}\` shows its findings.`],
  stopped: (scan) => [`Finished work is kept: \`partloop scan resume ${scan}\` goes on from there.`],
  failed: (scan) => [
    `\`partloop scan resume ${scan}\` tries again; \`partloop scan show ${scan}\` says why it failed.`,
  ],
};

/** The outcome of a scan that does not run. @throws PartloopError `not-found` if there is no scan of this name */
async function stateOf(client: Client, store: ObjectStore, scan: string, found: ScanWorkflow | null): Promise<State> {
  if ((await readScanRecord(store, scan)) !== null) return 'finished';
  if (found !== null) return endOf(found);
  const isLoop = (await loopNames(client, store)).includes(scan);
  throw new PartloopError('not-found', `there is no scan \`${scan}\` outside loops`, {
    hint: isLoop
      ? `It is a loop: \`partloop loop stop ${scan} --now\` ends its iteration with the scan.`
      : '`partloop scan list` shows running and finished scans.',
  });
}

import type { Client } from '@temporalio/client';
import type { AuditNames } from '../../domain/audit/names.js';
import { standaloneScanWorkflowId } from '../../domain/base/ids.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import type { ScanRequest } from '../../domain/messages.js';
import type { StepResult } from '../../domain/steps.js';
import { WORKFLOWS } from '../../domain/workflowNames.js';
import type { StackEnvironment } from '../../infra/environment.js';
import { asPartloopError } from '../../steering/temporalErrors.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readScanRecord } from '../../storage/scans.js';
import { uiLink } from '../environment.js';
import { watchScan } from '../scan/scanFollowed.js';
import { findScanWorkflow } from '../scan/scanWorkflows.js';
import { interruptible } from '../terminal/interrupt.js';
import { say } from '../terminal/output.js';

/**
 * Do the scan of an audit, or go on with it: one that is done is left as it is, one that runs is joined, and one that
 * ended early goes on with the settings that it had.
 *
 * @param plan makes the request; called only for a scan that was never started
 */
export async function scanForAudit(
  { client, env, store }: { client: Client; env: StackEnvironment; store: ObjectStore },
  { pool, scan }: AuditNames,
  plan: () => Promise<ScanRequest>,
): Promise<void> {
  if ((await readScanRecord(store, scan)) !== null) {
    say(`scan ${scan} is done already`);
    return;
  }
  const workflowId = standaloneScanWorkflowId(scan);
  const found = await findScanWorkflow(client, scan);
  if (found?.status !== 'RUNNING') {
    const request = found === null ? await plan() : found.input;
    await asPartloopError(() =>
      client.workflow.start<(input: unknown) => Promise<StepResult>>(WORKFLOWS.mislabelScan, {
        workflowId,
        taskQueue: LIGHT_QUEUE,
        args: [request],
        staticSummary: `audit the labels of pool ${pool}`,
      }),
    );
  }
  say(found === null ? `scan ${scan} runs` : `scan ${scan} goes on`);
  const link = uiLink(env, `/namespaces/${env.temporal.namespace}/workflows/${encodeURIComponent(workflowId)}`);
  if (link !== null) say(link);
  const handle = client.workflow.getHandle<(input: unknown) => Promise<StepResult>>(workflowId);
  const parting = ['Stopped waiting. The scan goes on; the same command waits for it again.'];
  await interruptible(
    () => parting,
    () => asPartloopError(() => watchScan(client, handle, scan)),
  );
}

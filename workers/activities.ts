import type { Client } from '@temporalio/client';
import { createCleanUpActivities } from '../activities/cleanUp.js';
import { createArmActivities, createControlActivities } from '../activities/control.js';
import { createDecideActivities } from '../activities/decide.js';
import { createDrawActivities } from '../activities/draw.js';
import { createEvaluateActivities } from '../activities/evaluate.js';
import type { Activities } from '../activities/index.js';
import { createIngestActivities } from '../activities/ingest.js';
import { createLoopActivities } from '../activities/loop.js';
import { createReportActivities } from '../activities/report.js';
import { createRunningActivities } from '../activities/running.js';
import { createSampleActivities } from '../activities/sample.js';
import { createScanActivities } from '../activities/scan.js';
import { createStandaloneScanActivities } from '../activities/standaloneScan.js';
import { createTrainActivities } from '../activities/train.js';
import { createTrialActivities, createTuneActivities } from '../activities/tune.js';
import type { ActivityDeps } from '../steps/deps.js';
import type { Role } from './roles.js';

/**
 * The activities of one role, made from their clients once. A queue offers only the activities that are meant to run
 * there.
 */
export function activitiesFor(role: Role, deps: ActivityDeps & { client: Client }): Partial<Activities> {
  const scan = createScanActivities(deps);
  switch (role) {
    case 'light':
      return {
        ...createLoopActivities(deps),
        ...createIngestActivities(deps),
        ...createCleanUpActivities(deps),
        ...createRunningActivities(deps),
        ...createDrawActivities(deps),
        ...createSampleActivities(deps),
        ...createReportActivities(deps),
        ...createTuneActivities(deps),
        ...createStandaloneScanActivities(deps),
        planScan: scan.planScan,
      };
    case 'scan':
      return {
        tryJudges: scan.tryJudges,
        scanShard: scan.scanShard,
        reduceScan: scan.reduceScan,
        ...createEvaluateActivities(deps),
        ...createDecideActivities(deps),
        ...createControlActivities(deps),
      };
    case 'train':
      return { ...createTrainActivities(deps), ...createTrialActivities(deps), ...createArmActivities(deps) };
  }
}

import type { createCleanUpActivities } from './cleanUp.js';
import type { createArmActivities, createControlActivities } from './control.js';
import type { createDecideActivities } from './decide.js';
import type { createDrawActivities } from './draw.js';
import type { createEvaluateActivities } from './evaluate.js';
import type { createIngestActivities } from './ingest.js';
import type { createLoopActivities } from './loop.js';
import type { createReportActivities } from './report.js';
import type { createRunningActivities } from './running.js';
import type { createSampleActivities } from './sample.js';
import type { createScanActivities } from './scan.js';
import type { createStandaloneScanActivities } from './standaloneScan.js';
import type { createTrainActivities } from './train.js';
import type { createTrialActivities, createTuneActivities } from './tune.js';

/** Every activity by name, for the proxies in `workflows/`. */
export type Activities = ReturnType<typeof createLoopActivities> &
  ReturnType<typeof createIngestActivities> &
  ReturnType<typeof createCleanUpActivities> &
  ReturnType<typeof createRunningActivities> &
  ReturnType<typeof createDrawActivities> &
  ReturnType<typeof createScanActivities> &
  ReturnType<typeof createStandaloneScanActivities> &
  ReturnType<typeof createSampleActivities> &
  ReturnType<typeof createTrainActivities> &
  ReturnType<typeof createTrialActivities> &
  ReturnType<typeof createTuneActivities> &
  ReturnType<typeof createEvaluateActivities> &
  ReturnType<typeof createDecideActivities> &
  ReturnType<typeof createArmActivities> &
  ReturnType<typeof createControlActivities> &
  ReturnType<typeof createReportActivities>;

import { MockActivityEnvironment } from '@temporalio/testing';
import { Runtime } from '@temporalio/worker';
import { PartloopError } from '../../../domain/base/errors.js';
import { MAX_LOOPS } from '../../../domain/metrics.js';
import { withHeartbeat } from '../../../steps/heartbeat.js';
import { measure } from '../../../steps/measure.js';
import { castErrors } from '../../../workers/castErrors.js';
import { measured } from '../../../workers/metrics/measured.js';
import { installRuntime } from '../../../workers/metrics/runtime.js';
import { stepResult } from '../../support/standIns/stepResult.js';

/** A process whose activities run through the interceptors of a worker, with Temporal's real exporter. */
const [, , address = '127.0.0.1:9464', home = '/'] = process.argv;
type Work = (...args: never[]) => Promise<unknown>;

const factories = new Map<string, ReturnType<typeof measured>>();

async function run(activityType: string, workflowId: string, args: unknown[], work: Work, role = 'light') {
  const environment = new MockActivityEnvironment({
    ...{ activityType, attempt: 1, activityId: '1', currentAttemptScheduledTimestampMs: Date.now() - 2_000 },
    workflowExecution: { workflowId, runId: 'run-1' },
  });
  const context = environment.context;
  const factory = factories.get(role) ?? measured({ meter: Runtime.instance().metricMeter, role, home });
  factories.set(role, factory);
  const outer = factory(context).inbound;
  const inner = castErrors(role)(context).inbound;
  const input = { args, headers: {} };
  const nothing = (): never => {
    throw new Error('an interceptor has no execute');
  };
  await environment
    .run(() =>
      (outer?.execute ?? nothing)(input, (same) =>
        (inner?.execute ?? nothing)(same, () => (work as () => Promise<unknown>)()),
      ),
    )
    .catch(() => undefined);
}

try {
  installRuntime({ shutdownSignals: [] }, address);
} catch (error) {
  process.stderr.write(error instanceof PartloopError ? `${error.code}: ${error.message}\n` : String(error));
  process.exit(7);
}
const ITERATION = 'loop:cars:iteration:0001';
const context = { loop: 'cars', iteration: 1 };
await run('prepareIteration', ITERATION, [context], async () => ({}));
await run(
  'scanShard',
  `${ITERATION}:scan`,
  [{ context, shard: 3, imageId: 'f'.repeat(64) }],
  async () =>
    withHeartbeat(async ({ report }) => {
      for (const done of [0, 10, 24]) report({ phase: 'judging', done, total: 24, unit: 'images' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }),
  'scan',
);
const facts = { findings: 12, quarantined: 5 };
await run('reduceScan', `${ITERATION}:scan`, [{ context }], async () => stepResult('scan', {}, facts), 'scan');
await run(
  'train',
  ITERATION,
  [{ context }],
  async () => {
    measure('partloop_train_images_per_second', 42.5);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) measure('partloop_train_images_per_second', value);
    measure('partloop_checkpoint_timestamp_seconds', 1_000_000);
  },
  'train',
);
await run(
  'train',
  ITERATION,
  [{ context }],
  async () => {
    throw new PartloopError('disk-full', 'no room');
  },
  'train',
);
await run('evaluate', ITERATION, [{ context }], async () => stepResult('evaluate', {}, { miou: 0.61 }), 'scan');
const decided = { benchmarkMiou: 0.58, pendingApproval: true };
await run('decide', ITERATION, [{ context }], async () => stepResult('decide', {}, decided), 'scan');
const recorded = { context, status: 'finished', results: { scan: stepResult('scan') } };
await run('recordIteration', ITERATION, [recorded], async () => undefined);
await run('scanShard', 'scan:night-1', [{ shard: 0 }], async () => undefined, 'scan');
for (let n = 0; n < MAX_LOOPS + 20; n++)
  await run('loadLoop', `loop:many-${n}`, [{ loop: `many-${n}` }], async () => ({}));
let over = (): void => undefined;
const underWay = run(
  'evaluate',
  ITERATION,
  [{ context }],
  () => new Promise<void>((resolve) => (over = resolve)),
  'scan',
);
process.stdout.write('measured\n');
process.stdin.resume();
process.stdin.once('end', async () => {
  over();
  await underWay;
  process.exit(0);
});

import { pino } from 'pino';
import { createSampleActivities } from '../../activities/sample.js';
import { storeOf } from '../../cli/environment.js';
import { loopConfigSchema } from '../../domain/config.js';
import { iterationContextSchema } from '../../domain/steps.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { poolOf } from '../../steps/pool.js';
import { type SampleCost, sampleJobSchema } from './cost.js';

const job = sampleJobSchema.parse(JSON.parse(process.argv[2] ?? ''));
const env = await resolveEnvironment();
const store = storeOf(env);
// Segments are on this disk, as on a worker that has drawn.
const pool = await poolOf({ store, home: env.home }, job.pool);
await pool.readImages(await pool.latestVersion(), new Set());

const start = performance.now();
const before = process.cpuUsage();
const { sample } = createSampleActivities({ store, home: env.home, root: ROOT, log: pino({ level: 'silent' }) });
const done = { digest: '0'.repeat(64), outcome: 'hit', outputs: {}, facts: {}, seconds: 1 } as const;
const { facts } = await sample({
  context: iterationContextSchema.parse({
    loop: `bench-${job.policy}`,
    iteration: 2,
    config: loopConfigSchema.parse({ pool: job.pool, sample: { policy: job.policy } }),
    previous: {
      draw: { ...done, step: 'draw' },
      scan: { ...done, step: 'scan' },
      sample: { ...done, step: 'sample', outputs: { trainingSet: job.trainingSet } },
      train: { ...done, step: 'train' },
      evaluate: { ...done, step: 'evaluate' },
    },
    force: { from: 'sample', token: String(Date.now()) },
  }),
  results: { draw: job.draw, scan: job.scan },
});
const { user, system } = process.cpuUsage(before);
const cost: SampleCost = {
  picked: facts.sampled ?? 0,
  trainingSet: facts.trainingSet ?? 0,
  cpuSeconds: (user + system) / 1e6,
  wallSeconds: (performance.now() - start) / 1_000,
  peakMegabytes: process.resourceUsage().maxRSS / 1_024,
};
process.stdout.write(JSON.stringify(cost));

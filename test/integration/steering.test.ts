import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WorkflowFailedError } from '@temporalio/client';
import { z } from 'zod';
import { connect } from '../../cli/environment.js';
import { LOOP_PHASES } from '../../domain/messages.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { loopStatus } from '../../steering/loopClient.js';
import { openPool } from '../../storage/pool/pool.js';
import { storeOfHome } from '../chaos/home.js';
import { venvBinary } from '../support/binaries.js';
import { type CliAnswer, partloop, partloopJson } from '../support/cli.js';
import { carStack } from '../support/servers/carStack.js';

const execFileAsync = promisify(execFile);

const statusSchema = z.looseObject({
  phase: z.enum(LOOP_PHASES),
  nextIteration: z.number(),
  error: z.string().nullable(),
});
type Status = z.infer<typeof statusSchema>;
const attemptSchema = z.looseObject({
  current: z.looseObject({
    status: z.string(),
    error: z.string().nullable(),
    runId: z.string(),
    results: z.record(z.string(), z.looseObject({ outcome: z.string() })),
  }),
});

const ITERATION_ID = 'loop:steered:iteration:0001';
const START = [
  ...['loop', 'start', 'steered', '--pool', 'steered', '--wait', '--json', '--seed', '1'],
  ...['--chunk-size', '12', '--image-size', '64', '--train-iterations', '12', '--batch-size', '4'],
];

describe('a loop that people steer', function () {
  this.timeout(5 * 60_000);
  let home: string;
  let remove = async (): Promise<void> => undefined;
  const ownHome = process.env.PARTLOOP_HOME;

  const status = async (): Promise<Status> =>
    statusSchema.parse(await partloopJson(home, ['loop', 'status', 'steered']));
  /** Asks without a command per look, which would take as long as the awaited event. */
  const until = async (done: (phase: Status['phase']) => boolean): Promise<Status> => {
    const client = await connect(await resolveEnvironment());
    try {
      // Before it has started there is no loop to ask.
      for (;;) {
        const now = await loopStatus(client, 'steered').catch(() => null);
        if (now !== null && done(now.phase)) break;
        await sleep(200);
      }
    } finally {
      await client.connection.close();
    }
    return status();
  };
  const iteration = async () =>
    attemptSchema.parse(await partloopJson(home, ['iteration', 'show', 'steered', '1'])).current;

  before(async () => {
    ({ home, remove } = await carStack('steered', { seed: 6, counts: { train: 12, val: 2, test: 4 } }));
    process.env.PARTLOOP_HOME = home;
  });
  after(async () => {
    if (ownHome === undefined) delete process.env.PARTLOOP_HOME;
    else process.env.PARTLOOP_HOME = ownHome;
    await remove();
  });

  it('runs on after Ctrl-C ends the wait, which says so and exits with 130', async () => {
    const abort = new AbortController();
    const waiting: Promise<CliAnswer> = partloop(home, START, { signal: abort.signal });
    await until((phase) => phase === 'running');
    abort.abort();
    const { code, stdout, stderr } = await waiting;
    assert.equal(code, 130, stderr);
    assert.match(stdout, /"code": "interrupted"/);
    assert.match(stderr, /goes on/);
    assert.equal((await status()).phase, 'running');
  });

  it('holds while it is paused, ends its iteration on an immediate stop, and later resumes the same one', async () => {
    // It holds when the step under way ends.
    assert.equal(statusSchema.parse(await partloopJson(home, ['loop', 'pause', 'steered'])).phase, 'pausing');
    assert.equal(statusSchema.parse(await partloopJson(home, ['loop', 'resume', 'steered'])).phase, 'running');
    await partloopJson(home, ['loop', 'stop', 'steered', '--now']);
    const client = await connect(await resolveEnvironment());
    try {
      await client.workflow.getHandle('loop:steered').result();
      // It ends what it has at hand, and then itself.
      await assert.rejects(client.workflow.getHandle(ITERATION_ID).result(), WorkflowFailedError);
    } finally {
      await client.connection.close();
    }
  });

  it('opens no test object before it evaluates: every earlier step succeeds without them', async () => {
    const store = await storeOfHome(home);
    const pool = await openPool(store, 'steered');
    const rows = (await pool.readIndex(await pool.latestVersion())).filter((row) => row.split === 'test');
    assert.equal(rows.length, 4);
    const keys = rows.flatMap((row) => [row.imageUri, row.labelUri]);
    const kept = await Promise.all(keys.map(async (key) => [key, (await store.get(key)).body] as const));
    await store.delete(keys);

    try {
      assert.equal((await partloop(home, START)).code, 5);
      const failed = await iteration();
      assert.deepEqual(Object.keys(failed.results), ['draw', 'scan', 'sample', 'train']);
      assert.equal(failed.status, 'failed');
      assert.ok(
        keys.some((key) => failed.error?.includes(key)),
        failed.error ?? '',
      );
    } finally {
      for (const [key, body] of kept) await store.put(key, body, 'image/png');
    }
  });

  it('learns that a failed iteration was reset in Temporal and then succeeded', async () => {
    assert.equal((await status()).phase, 'failed');
    const before = await iteration();
    const { temporal } = await resolveEnvironment();
    const reset = ['workflow', 'reset', '--workflow-id', ITERATION_ID, '--type', 'FirstWorkflowTask'];
    await execFileAsync(venvBinary('temporal'), [...reset, '--reason', 'test', '--address', temporal.address]);
    const { nextIteration, error } = await until((phase) => phase === 'idle');
    assert.deepEqual([nextIteration, error], [2, null]);
    const after = await iteration();
    assert.equal(after.status, 'finished');
    assert.notEqual(after.runId, before.runId);
    assert.deepEqual(
      ['draw', 'scan', 'sample', 'train', 'evaluate'].map((step) => after.results[step]?.outcome),
      ['hit', 'hit', 'hit', 'hit', 'miss'],
    );
  });
});

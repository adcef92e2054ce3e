import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ScanProgress } from '../../domain/scan/progress.js';
import { WORKER_ROLES } from '../../domain/settings/variables.js';
import { workflowBuild } from '../../workers/workflowCode.js';
import { differences, outcomeOf } from '../chaos/outcome/outcome.js';
import { hasPython } from '../support/models/tinyModel.js';
import { drawCars } from '../support/servers/carStack.js';
import { type Build, nextBuild, THIS_BUILD } from './builds.js';
import { buildsOf, hasStoodStill, historyOf, patchesOf, replays, shardsOf } from './histories.js';
import { RolledStack } from './stack.js';
import {
  CANCELLATION_MS,
  CARS,
  CHECKPOINT_EVERY,
  findingsOf,
  iterationId,
  LOOP,
  LOOP_ID,
  type Outcome,
  prepare,
  SHARDS,
  startLoop,
  startScan,
} from './work.js';

const EARLY = 'looks-before-sampling';
const LATE = 'looks-before-evaluating';
/** The time that Kubernetes and a spot notice give a process to end. */
const DRAIN_SECONDS = 30;
/** Of a scan, before workers are replaced. */
const SOME_SHARDS = 3;

/** Figures stand behind the name of what was measured. */
function tell(test: Mocha.Runnable | undefined, figures: string): void {
  if (test !== undefined) test.title += ` (${figures})`;
}

const phaseSchema = z.looseObject({ phase: z.string() });
const reportSchema = z.object({
  replayed: z.number(),
  broken: z.array(z.object({ workflowId: z.string(), event: z.string().nullable() })),
});

describe('workers that another build replaces in mid-run', function () {
  this.timeout(12 * 60_000);
  const thisBuild = THIS_BUILD;
  let folder: string;
  let next: Build;
  let careless: Build;
  let undisturbed: Promise<Outcome>;
  let stack: RolledStack;
  const stacks: RolledStack[] = [];
  const scans: { scanId: string; workflowId: string }[] = [];

  before(async function () {
    if (!hasPython) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'partloop-roll-out-'));
    next = await nextBuild(join(folder, 'next'), [
      { before: 'sample', patch: EARLY },
      { before: 'evaluate', patch: LATE },
    ]);
    careless = await nextBuild(join(folder, 'careless'), [{ before: 'sample', patch: null }]);
    const manifest = await drawCars(folder, CARS);
    const calm = newStack('undisturbed');
    // One after the other: stacks that start at the same moment want the same ports.
    await prepare(calm, thisBuild, manifest);
    // It runs beside the other one, and is awaited at the end.
    undisturbed = runUndisturbed(calm);
    undisturbed.catch(() => undefined);
    stack = newStack('rolled');
    await prepare(stack, thisBuild, manifest);
    await startLoop(stack, thisBuild, 2);
  });
  after(async () => {
    for (const one of stacks) await one.end(thisBuild);
    await undisturbed?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  function newStack(name: string): RolledStack {
    const made = new RolledStack(join(folder, name));
    stacks.push(made);
    return made;
  }

  async function runUndisturbed(calm: RolledStack): Promise<Outcome> {
    await startLoop(calm, thisBuild, 2);
    const { scanId } = await startScan(calm, thisBuild);
    await calm.untilFinished(LOOP, 2);
    await calm.untilScanned(scanId);
    const outcome = { loop: await outcomeOf(await calm.store(), LOOP), findings: await findingsOf(calm, scanId) };
    await calm.end(thisBuild);
    return outcome;
  }

  /** A scan of the whole pool begins beside a training; and what another build says of all that is open. */
  async function startBeside(build: Build, other: Build) {
    const scan = await startScan(stack, build);
    scans.push(scan);
    const report = await replayCheck(other);
    await untilJudged(scan.workflowId, SOME_SHARDS);
    return { ...scan, ...report };
  }

  const phase = async (): Promise<string> =>
    phaseSchema.parse(await stack.json(thisBuild, ['loop', 'status', LOOP])).phase;

  const untilJudged = (workflowId: string, shards: number): Promise<void> =>
    stack.withClient((client) =>
      stack.until(async () => {
        const progress = await client.workflow
          .getHandle(workflowId)
          .query<ScanProgress>('progress')
          .catch(() => null);
        return (progress?.shards.done ?? 0) >= shards;
      }),
    );

  async function replayCheck(build: Build) {
    const { code, stdout, stderr } = await stack.command(build, ['replay-check', '--json']);
    assert.ok(code === 0 || code === 1, stderr);
    const report = reportSchema.parse(JSON.parse(stdout));
    assert.equal(code, report.broken.length === 0 ? 0 : 1);
    return report;
  }

  /** Stop the workers as the documentation says; the seconds that they took to save. */
  async function down(build: Build): Promise<number> {
    const since = Date.now();
    const { code, stderr } = await stack.command(build, ['down']);
    assert.equal(code, 0, stderr);
    return Math.max(...(await stack.drained(WORKER_ROLES, since)));
  }

  /** The last start of a training, against the end of the one before it. */
  async function resumed(iteration: number): Promise<{ reached: number; from: number }> {
    const begun = await stack.begun(iterationId(iteration));
    const { time = 0, iteration: from = 0 } = begun.at(-1) ?? {};
    const before = (await stack.trained(iterationId(iteration))).filter((line) => line.time < time);
    return { reached: before.at(-1)?.iteration ?? 0, from };
  }

  /** Every shard of a scan was judged once, some of them before that moment and some after. */
  async function assertJudgedAround(moment: number, { scanId, workflowId }: { scanId: string; workflowId: string }) {
    await stack.untilScanned(scanId);
    const shards = shardsOf(await stack.withClient((client) => historyOf(client, workflowId)));
    assert.deepEqual(
      shards.map(({ shard }) => shard).sort((a, b) => a - b),
      [...Array(SHARDS).keys()],
    );
    const before = shards.filter(({ doneAt }) => doneAt < moment);
    assert.ok(before.length >= SOME_SHARDS && before.length < SHARDS, `${before.length} shards were judged before`);
    assert.ok(before.every(({ attempt }) => attempt === 1));
  }

  it('refuse a build by name if it would break open work, and the old build goes on', async () => {
    await stack.untilTraining(iterationId(1));
    const { broken } = await replayCheck(careless);
    assert.deepEqual(
      broken.map(({ workflowId }) => workflowId),
      [iterationId(1)],
    );
    await stack.untilTrained(iterationId(1), CHECKPOINT_EVERY);
    await down(careless);
    const refused = await stack.command(careless, ['up', '--detach']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /1 open workflow would get stuck on this build: loop:cars:iteration:0001 breaks at/);
    assert.match(refused.stderr, /Start the build that began them/);
    await stack.json(thisBuild, ['up', '--detach']);
  });

  it('accept a build with one more step, and repeat at most one checkpoint interval', async function () {
    const reachedBefore = (await stack.trained(iterationId(1))).at(-1)?.iteration ?? 0;
    await stack.untilTrained(iterationId(1), reachedBefore + CHECKPOINT_EVERY);
    const release = await stack.holdTrainer();
    const { broken, ...scan } = await startBeside(thisBuild, next);
    assert.deepEqual(broken, []);
    const replacedAt = Date.now();
    const stopping = down(next);
    await stack.untilAskedToStop('train', replacedAt);
    release();
    const drained = await stopping;
    await stack.json(next, ['up', '--detach']);
    await stack.untilFinished(LOOP, 1);

    const { reached, from } = await resumed(1);
    tell(this.test, `drained in ${drained} s, trained to ${reached}, went on at ${from}`);
    assert.ok(drained <= DRAIN_SECONDS, `${drained} s`);
    assert.ok(from > 0 && from >= reached - CHECKPOINT_EVERY, `trained to ${reached}, went on at ${from}`);
    assert.ok(await ranOwnTrainer(next));
    const history = await stack.withClient((client) => historyOf(client, iterationId(1)));
    assert.deepEqual(
      buildsOf(history),
      [thisBuild, next].map(({ root }) => workflowBuild(root)),
    );
    assert.deepEqual(
      patchesOf(history).filter((patch) => [EARLY, LATE].includes(patch)),
      [LATE],
    );
    await assertJudgedAround(replacedAt, scan);
  });

  it('refuse the old build for work beyond the new step, which is then cancelled and retried', async function () {
    await stack.untilTrained(iterationId(2), CHECKPOINT_EVERY);
    const release = await stack.holdTrainer();
    const { broken, replayed, ...scan } = await startBeside(next, thisBuild);
    assert.equal(replayed, 3, 'the loop, its iteration and the scan');
    assert.deepEqual(
      broken.map(({ workflowId }) => workflowId),
      [iterationId(2)],
    );
    await stack.json(thisBuild, ['iteration', 'cancel', LOOP]);
    await sleep(CANCELLATION_MS);
    release();
    await stack.until(async () => (await phase()) === 'failed');
    const replacedAt = Date.now();
    const drained = await down(thisBuild);
    await stack.json(thisBuild, ['up', '--detach']);
    await stack.json(thisBuild, ['loop', 'retry', LOOP, '--wait']);

    const { reached, from } = await resumed(2);
    tell(this.test, `drained in ${drained} s, trained to ${reached}, went on at ${from}`);
    assert.ok(drained <= DRAIN_SECONDS, `${drained} s`);
    assert.ok(from > 0 && from >= reached - CHECKPOINT_EVERY, `trained to ${reached}, went on at ${from}`);
    await assertJudgedAround(replacedAt, scan);
  });

  it('give the same bytes as an undisturbed run', async () => {
    const { loop, findings } = await undisturbed;
    assert.deepEqual(differences(loop, await outcomeOf(await stack.store(), LOOP)), []);
    for (const { scanId } of scans) {
      await stack.untilScanned(scanId);
      assert.equal(await findingsOf(stack, scanId), findings);
    }
  });

  it('replay all histories on the newer build, and on the older one those that passed no new step', () =>
    stack.withClient(async (client) => {
      for (const workflowId of [LOOP_ID, iterationId(1), iterationId(2), ...scans.map((scan) => scan.workflowId)]) {
        const history = await historyOf(client, workflowId);
        assert.ok(!hasStoodStill(history), workflowId);
        assert.ok(await replays(next, workflowId, history), `${workflowId} on the newer build`);
        assert.equal(await replays(thisBuild, workflowId, history), !patchesOf(history).includes(LATE), workflowId);
      }
    }));

  /** Python leaves what it compiled beside the sources that it loaded; the check of a worker loads others. */
  async function ranOwnTrainer({ root }: Build): Promise<boolean> {
    const compiled = join(root, 'trainer', 'partloop_trainer', '__pycache__');
    return existsSync(compiled) && (await readdir(compiled)).some((file) => file.startsWith('train.'));
  }
});

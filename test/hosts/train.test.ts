import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { PYTHON } from '../support/models/tinyModel.js';
import { attemptsUnderWay, until } from './attempts.js';
import type { NetworkName } from './network.js';
import { type HostWorker, Site } from './site.js';
import { keysOf, otherSteps, type Stored, startTraining, storedOf, type Training } from './training.js';

describe('a training whose host is cut off', function () {
  this.timeout(6 * 60_000);
  let site: Site;
  let store: ObjectStore;
  let workers: HostWorker[] = [];
  let stop = async (): Promise<void> => undefined;
  let calm: unknown;

  before(async function () {
    if (!existsSync(PYTHON)) {
      console.log(`      no Python at ${PYTHON}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      return this.skip();
    }
    const opened = await Site.open();
    if (opened === null) return this.skip();
    site = opened;
    ({ store } = site);
    ({ stop } = await otherSteps(site));
    workers = await Promise.all(['train-1', 'train-2'].map((name) => site.addWorker(name, 'train')));
    const { train } = await (await startTraining(site, 'calm')).result();
    calm = train?.facts.weightsSha256;
    assert.equal(typeof calm, 'string');
  });
  after(async () => {
    await stop();
    await site?.close();
  });

  it('goes on elsewhere, and the first host, once healed, stops its trainer and publishes nothing', async () => {
    const { first, handle, held } = await cutInMidTraining('early');
    const taken = await takenOver('early', held);
    await site.network.heal(first.host);
    await until(async () => !(await first.isTraining));
    const { train } = await handle.result();
    assert.deepEqual([train?.facts.weightsSha256, train?.facts.resumes], [calm, 1]);
    await publishedNothing('early', held, taken);
  });

  it('goes on elsewhere, and the first host, healed at the end, has stopped its trainer by then', async () => {
    const { first, handle, held } = await cutInMidTraining('late');
    const taken = await takenOver('late', held);
    const { train } = await handle.result();
    assert.deepEqual([train?.facts.weightsSha256, train?.facts.resumes], [calm, 1]);
    await until(async () => !(await first.isTraining));
    await site.network.heal(first.host);
    // From here on only the healed host trains.
    await Promise.all(workers.filter((worker) => worker !== first).map((worker) => worker.stop()));
    workers = [first];
    const next = await startTraining(site, 'without-store');
    await until(async () => (await attemptsUnderWay(site.temporal.client, next.workflowId)).length > 0);
    await publishedNothing('late', held, taken);
  });

  it('passes to the healed host, and goes on when that loses the store, with checkpoints to follow', async () => {
    const { first, handle, held } = await cutInMidTraining('without-store', ['store']);
    await until(async () => {
      const [attempt] = await attemptsUnderWay(site.temporal.client, handle.workflowId);
      return attempt?.progress?.phase === 'training' && attempt.progress.done >= held.newest + 30;
    });
    await site.network.heal(first.host);
    const { train } = await handle.result();
    assert.deepEqual([train?.facts.weightsSha256, train?.facts.resumes], [calm, 0]);
    assert.equal((await storedOf(store, 'without-store')).holder, held.holder);
  });

  it('goes on elsewhere if its host loses Temporal alone, and the trainer there stops', async () => {
    workers.push(await site.addWorker('train-3', 'train'));
    const { first, handle, held } = await cutInMidTraining('without-temporal', ['temporal']);
    await until(async () => !(await first.isTraining));
    const taken = await takenOver('without-temporal', held);
    const { train } = await handle.result();
    assert.deepEqual([train?.facts.weightsSha256, train?.facts.resumes], [calm, 1]);
    await publishedNothing('without-temporal', held, taken);
    await site.network.heal(first.host);
  });

  /** Train on one of the hosts until a checkpoint is in the store and more is done, then cut it off. */
  async function cutInMidTraining(
    loop: string,
    networks?: readonly NetworkName[],
  ): Promise<{ first: HostWorker; handle: Training; held: Stored }> {
    const handle = await startTraining(site, loop);
    const first = await until(async () => {
      const [attempt] = await attemptsUnderWay(site.temporal.client, handle.workflowId);
      const { newest } = await storedOf(store, loop);
      return newest > 0 && workers.find(({ host }) => host.name === attempt?.host);
    });
    await site.network.cutOff(first.host, networks);
    const held = await storedOf(store, loop);
    return { first, handle, held };
  }

  /** Wait until another attempt has the lease. */
  const takenOver = (loop: string, { holder }: Stored): Promise<Stored> =>
    until(async () => {
      const now = await storedOf(store, loop);
      return now.holder !== null && now.holder !== holder && now;
    });

  /**
   * All that the first attempt has in the store was there at the takeover, and the end of the training is the second's.
   */
  async function publishedNothing(loop: string, held: Stored, taken: Stored): Promise<void> {
    const end = await storedOf(store, loop);
    assert.deepEqual([end.holder, end.committed], [taken.holder, taken.holder]);
    const before = new Set(keysOf(taken, held.holder ?? ''));
    assert.ok(before.size > 0);
    assert.deepEqual(
      keysOf(end, held.holder ?? '').filter((key) => !before.has(key)),
      [],
      'nothing of the first attempt came later',
    );
  }
});

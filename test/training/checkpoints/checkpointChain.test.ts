import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import type { StoredCheckpoint, Turn } from '../../../training/checkpoints/chainState.js';
import { CheckpointChain } from '../../../training/checkpoints/checkpointChain.js';
import { type MemoryStore, memoryStore } from '../../support/standIns/memoryStore.js';

const KEY = 'loops/demo/iterations/0001/train/digest/latest.json';
const checkpoint = (iteration: number): StoredCheckpoint => ({
  iteration,
  key: `c/${iteration}.pt`,
  sha256: 'a'.repeat(64),
  sidecar: '{}',
  log: `c/${iteration}.log`,
});
const boom = new PartloopError('trainer-failed', 'boom', { hint: 'Mend it' });
const commands = { retry: '`partloop loop retry demo`', anew: '`partloop iteration replay demo 1 --from train`' };
const claim = (store: MemoryStore, attempt: string, generation = 'first', from: string | null = null) =>
  CheckpointChain.claim(store, KEY, { attempt, generation, turn: null, commands, from });
const rejectsWith = (work: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(work, (error: unknown) => error instanceof PartloopError && error.code === code);

describe("the trainer's lease", () => {
  it('passes to the newest attempt, and the old one publishes nothing more', async () => {
    const store = memoryStore();
    const old = await claim(store, 'old');
    await old.advance(checkpoint(10));
    const young = await claim(store, 'young');
    assert.equal(young.checkpoints[0]?.iteration, 10);
    await rejectsWith(old.advance(checkpoint(20)), 'fenced');
    await rejectsWith(old.confirm(), 'fenced');
    await young.advance(checkpoint(30));
    assert.equal((await claim(store, 'third')).checkpoints[0]?.iteration, 30);
  });

  it('does not pass from a newer try to an older one whose host was cut off before it asked', async () => {
    const store = memoryStore();
    const as = (attempt: string, turn: Turn, generation = 'first') =>
      CheckpointChain.claim(store, KEY, { attempt, generation, turn, commands });
    const young = await as('young', { activity: '7', attempt: 2 });
    await rejectsWith(as('old', { activity: '7', attempt: 1 }), 'fenced');
    await young.advance(checkpoint(10));
    await as('again', { activity: '7', attempt: 2 });
    await as('newer', { activity: '7', attempt: 3 });
    await as('next rung', { activity: '10', attempt: 1 });
    await rejectsWith(as('old rung', { activity: '7', attempt: 4 }), 'fenced');
    await as('asked again', { activity: '7', attempt: 1 }, 'second');
  });

  it('lets exactly one of many racing attempts publish', async () => {
    const store = memoryStore();
    const chains = await Promise.all(['a', 'b', 'c', 'd'].map((token) => claim(store, token)));
    const outcomes = await Promise.allSettled(chains.map((chain) => chain.confirm()));
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  });

  it('keeps three checkpoints, and names those that it drops', async () => {
    const chain = await claim(memoryStore(), 'a');
    for (const iteration of [1, 2, 3]) assert.deepEqual(await chain.advance(checkpoint(iteration)), []);
    assert.deepEqual(await chain.advance(checkpoint(4)), ['c/1.pt', 'c/1.log']);
  });

  it('gives up after the trainer failed twice without a new checkpoint', async () => {
    const store = memoryStore();
    for (const token of ['a', 'b']) await (await claim(store, token)).recordFailure(boom);
    await rejectsWith(claim(store, 'c'), 'no-progress');
  });

  it('counts failures per request: a new request of a person goes on from the checkpoints', async () => {
    const store = memoryStore();
    await (await claim(store, 'before')).advance(checkpoint(7));
    for (const token of ['a', 'b']) await (await claim(store, token)).recordFailure(boom);
    for (let death = 0; death < 3; death++) await rejectsWith(claim(store, 'retried by the server'), 'no-progress');
    const again = await claim(store, 'asked again', 'second');
    assert.equal(again.checkpoints[0]?.iteration, 7);
    assert.ok(again.isStruggling);
    await again.advance(checkpoint(8));
    assert.equal(again.isStruggling, false);
  });

  it('is readable in stores of builds that did not count requests', async () => {
    const store = memoryStore();
    const counts = { starts: 7, startsSinceCheckpoint: 6, failuresSinceCheckpoint: 2, lastFailure: 'boom' };
    await store.put(KEY, JSON.stringify({ version: 1, attempt: 'old', checkpoints: [checkpoint(9)], ...counts }));
    const chain = await claim(store, 'new');
    assert.equal(chain.checkpoints[0]?.iteration, 9);
    assert.deepEqual(chain.lost, []);
  });

  it('is named with advice if it is unreadable', async () => {
    const store = memoryStore();
    await store.put(KEY, '{"version": 1, "atte');
    await assert.rejects(claim(store, 'a'), (error: unknown) => {
      assert.ok(error instanceof PartloopError && error.code === 'data-invalid');
      assert.ok(error.message.includes(KEY));
      assert.match(error.hint ?? '', /`partloop iteration replay demo 1 --from train`/);
      return true;
    });
  });

  it('lets machines die four times before the first checkpoint, and does not count stops from outside', async () => {
    const store = memoryStore();
    for (let stop = 0; stop < 20; stop++) await (await claim(store, `stopped-${stop}`)).release();
    for (let death = 0; death < 4; death++) await claim(store, `died-${death}`);
    await (await claim(store, 'fifth')).advance(checkpoint(1));
    await claim(store, 'goes on');
  });

  it('ends a run whose machine dies five times without a checkpoint', async () => {
    const store = memoryStore();
    for (let death = 0; death < 5; death++) await claim(store, `died-${death}`);
    await rejectsWith(claim(store, 'sixth'), 'no-progress');
  });
});

import assert from 'node:assert/strict';
import { CheckpointChain, type StoredCheckpoint } from '../../../activities/trainer/checkpointChain.js';
import { PartloopError } from '../../../domain/errors.js';
import { MemoryStore } from './memoryStore.js';

const KEY = 'loops/demo/iterations/0001/train/digest/latest.json';
const checkpoint = (iteration: number): StoredCheckpoint => ({
  iteration,
  key: `c/${iteration}.pt`,
  sha256: 'a'.repeat(64),
  sidecar: '{}',
  log: `c/${iteration}.log`,
});
const rejectsWith = (work: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(work, (error: unknown) => error instanceof PartloopError && error.code === code);

describe("the trainer's lease", () => {
  it('passes to the newest attempt, and the old one publishes nothing more', async () => {
    const store = new MemoryStore();
    const old = await CheckpointChain.claim(store, KEY, 'old');
    await old.advance(checkpoint(10));
    const young = await CheckpointChain.claim(store, KEY, 'young');
    assert.equal(young.newest?.iteration, 10);
    await rejectsWith(old.advance(checkpoint(20)), 'fenced');
    await rejectsWith(old.confirm(), 'fenced');
    await young.advance(checkpoint(30));
    assert.equal((await CheckpointChain.claim(store, KEY, 'third')).newest?.iteration, 30);
  });

  it('lets exactly one of many racing attempts publish', async () => {
    const store = new MemoryStore();
    const chains = await Promise.all(['a', 'b', 'c', 'd'].map((token) => CheckpointChain.claim(store, KEY, token)));
    const outcomes = await Promise.allSettled(chains.map((chain) => chain.confirm()));
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  });

  it('keeps three checkpoints and names what falls out', async () => {
    const chain = await CheckpointChain.claim(new MemoryStore(), KEY, 'a');
    for (const iteration of [1, 2, 3]) assert.deepEqual(await chain.advance(checkpoint(iteration)), []);
    assert.deepEqual(await chain.advance(checkpoint(4)), ['c/1.pt', 'c/1.log']);
  });

  it('gives up after the trainer failed twice without a new checkpoint', async () => {
    const store = new MemoryStore();
    for (const token of ['a', 'b']) await (await CheckpointChain.claim(store, KEY, token)).recordFailure('boom');
    await rejectsWith(CheckpointChain.claim(store, KEY, 'c'), 'no-progress');
  });

  it('lets machines die four times before the first checkpoint, and counts stops from outside not at all', async () => {
    const store = new MemoryStore();
    for (let stop = 0; stop < 20; stop++) await (await CheckpointChain.claim(store, KEY, `stopped-${stop}`)).release();
    for (let death = 0; death < 4; death++) await CheckpointChain.claim(store, KEY, `died-${death}`);
    await (await CheckpointChain.claim(store, KEY, 'fifth')).advance(checkpoint(1));
    await CheckpointChain.claim(store, KEY, 'goes on');
  });

  it('ends a run whose machine dies five times without a checkpoint', async () => {
    const store = new MemoryStore();
    for (let death = 0; death < 5; death++) await CheckpointChain.claim(store, KEY, `died-${death}`);
    await rejectsWith(CheckpointChain.claim(store, KEY, 'sixth'), 'no-progress');
  });
});

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { collectGarbage, type Swept } from '../../../cleanup/gc/collectGarbage.js';
import type { OpenWork } from '../../../cleanup/gc/garbage.js';
import type { ResultOf, StepContract } from '../../../domain/stepContract.js';
import type { IterationContext, Step } from '../../../domain/steps.js';
import { type Attempt, isCommitted, runStep } from '../../../steps/runStep.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { CheckpointChain } from '../../../training/checkpoints/checkpointChain.js';
import { testConfig } from '../../support/standIns/fakeActivities.js';
import type { MemoryStore } from '../../support/standIns/memoryStore.js';

export const DAY = 24 * 3_600_000;
export const NOW = new Date('2026-03-01T00:00:00Z');
export const ago = (days: number): Date => new Date(NOW.getTime() - days * DAY);

/** Nothing runs but the iterations that are named, `cars:1`. */
export const open = (...names: string[]): OpenWork => ({
  ids: names,
  isOpen: (loop, iteration) => names.includes(`${loop}:${iteration}`),
});

export const sweep = (
  store: ObjectStore,
  isFinal: boolean,
  work: OpenWork = open(),
  withShards = true,
): Promise<Swept> =>
  collectGarbage(store, {
    ...{ cutoffs: { written: ago(1), abandoned: ago(7) }, isFinal, withShards, withCopies: withShards },
    openWork: async () => work,
  });

/** Objects of each kind, those that there are. */
export const amounts = ({ kinds }: Swept): Record<string, number> =>
  Object.fromEntries(kinds.filter(({ objects }) => objects > 0).map(({ kind, objects }) => [kind, objects]));

/** What is written by `work` is so many days old. */
export async function aged<T>(store: MemoryStore, days: number, work: () => Promise<T>): Promise<T> {
  const before = store.now;
  store.now = () => ago(days);
  try {
    return await work();
  } finally {
    store.now = before;
  }
}

export const context = (iteration: number, force: IterationContext['force'] = null): IterationContext => ({
  ...{ loop: 'cars', iteration, previous: null, config: testConfig, force },
});
export const replayOf = (iteration: number, from: Step, token: string): IterationContext =>
  context(iteration, { from, token });

const contract = <S extends 'draw' | 'plan' | 'scan' | 'train'>(step: S) =>
  ({
    ...{ step, version: 1, inputs: z.unknown(), outputs: z.object({ out: z.string() }), facts: z.object({}) },
  }) satisfies StepContract;
const CONTRACTS = { draw: contract('draw'), plan: contract('plan'), scan: contract('scan'), train: contract('train') };
export type Simple = keyof typeof CONTRACTS;

/** A step of one output, as real ones run; `work` may write more, or throw. */
export function step(
  store: ObjectStore,
  of: IterationContext,
  name: Simple,
  inputs: unknown,
  work: (attempt: Attempt) => Promise<void> = async () => undefined,
): Promise<ResultOf<(typeof CONTRACTS)[Simple]>> {
  return runStep(store, of, CONTRACTS[name], inputs, async (attempt) => {
    const out = attempt.key('out.json');
    await attempt.store.put(out, `${name} ${attempt.token}`);
    await work(attempt);
    return { outputs: { out }, facts: {} };
  });
}

/** The checkpoints that an attempt at a training found, newest first. */
export interface Trained {
  found: string[];
}

/**
 * A training as the activity runs it: it takes the lease of its run, borrows checkpoints where it is a replay of one
 * that never ended, and saves so many before it ends or fails.
 */
export async function train(
  store: ObjectStore,
  of: IterationContext,
  run: number,
  { saves, fails = false, trained }: { saves: number; fails?: boolean; trained?: (trained: Trained) => void },
) {
  return step(store, of, 'train', run, async ({ digest, unforced, token, store: own, key }) => {
    const chainKey = (name: string): string => keys.checkpointChain(of.loop, of.iteration, 'train', name);
    const isUnfinished = unforced !== null && !(await isCommitted(store, of, 'train', unforced));
    const chain = await CheckpointChain.claim(store, chainKey(digest), {
      ...{ attempt: token, generation: randomUUID(), turn: null, commands: { retry: 'retry', anew: 'anew' } },
      from: isUnfinished ? chainKey(unforced) : null,
    });
    trained?.({ found: chain.checkpoints.flatMap((entry) => [entry.key, entry.log]) });
    const from = chain.checkpoints[0]?.iteration ?? 0;
    for (let at = from + 1; at <= from + saves; at++) {
      const [file, log] = [key(`checkpoints/${at}.pt`), key(`checkpoints/${at}.log.jsonl`)];
      await own.put(file, `weights ${at}`);
      await own.put(log, 'log');
      await store.delete(await chain.advance({ iteration: at, key: file, sha256: 'a'.repeat(64), sidecar: '{}', log }));
    }
    if (fails) throw new Error('the trainer failed');
  });
}

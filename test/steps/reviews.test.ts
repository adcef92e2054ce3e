import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { loopConfigSchema } from '../../domain/config.js';
import { emptyLoopState, withAttempt } from '../../domain/loop/state.js';
import { verdictSchema } from '../../domain/review/review.js';
import type { IterationContext } from '../../domain/steps.js';
import { reviewsFor } from '../../steps/reviews.js';
import { keys } from '../../storage/keys.js';
import { appendReviews, readReviews } from '../../storage/reviews.js';
import { ulid } from '../../storage/ulid.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const context = (fields: Partial<IterationContext> = {}): IterationContext => ({
  ...{ loop: 'cars', iteration: 1, config, previous: null, force: null },
  ...fields,
});
const verdict = (findingId: string) =>
  verdictSchema.parse({
    ...{ findingId, imageId: 'a'.repeat(64), labelSha256: 'b'.repeat(64), kind: 'hole', classId: 0 },
    ...{
      suggestedClassId: 1,
      x0: 0,
      y0: 0,
      x1: 1,
      y1: 1,
      pWrong: 0.5,
      pModel: 0.5,
      propensity: null,
      verdict: 'right',
    },
    ...{ correctedSha256: null, reviewer: null, comment: null, reviewedAt: '2026-01-01T00:00:00.000Z' },
  });

describe('the reviews that a scan takes into account', () => {
  it('are all reviews, or in a replay those of its scan, unless the scan is forced', async () => {
    const store = memoryStore();
    const deps = { store, home: tmpdir(), root: tmpdir(), log: pino({ level: 'silent' }) };
    await appendReviews(store, 'cars', ulid(new Date('2026-01-01')), null, [verdict('1')]);
    assert.equal((await reviewsFor(deps, context())).value.verdicts.length, 1);

    const had = await readReviews(store, 'cars');
    await store.put('reviews.json', JSON.stringify(had.keys));
    const scan = {
      ...{ step: 'scan', digest: 'd'.repeat(64), outcome: 'miss' as const, facts: {}, seconds: 1 },
      outputs: { reviews: 'reviews.json' },
    };
    const attempt = {
      runId: 'r',
      status: 'finished' as const,
      error: null,
      config,
      force: null,
      recordedAt: '2026-01-01',
    };
    const state = withAttempt(emptyLoopState('cars'), 1, { ...attempt, results: { scan } });
    await store.put(keys.loopState('cars'), JSON.stringify(state));
    await appendReviews(store, 'cars', ulid(new Date('2026-01-02')), null, [verdict('2')]);

    assert.deepEqual((await reviewsFor(deps, context())).value, had);
    assert.equal((await reviewsFor(deps, context({ iteration: 2 }))).value.verdicts.length, 2);
    const of = async (from: 'scan' | 'train') =>
      (await reviewsFor(deps, context({ force: { from, token: 't' } }))).value.verdicts.length;
    assert.deepEqual([await of('scan'), await of('train')], [2, 1]);
  });
});

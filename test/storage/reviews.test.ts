import assert from 'node:assert/strict';
import { type Verdict, verdictSchema } from '../../domain/review/review.js';
import { reviewImportSchema } from '../../domain/review/reviewImport.js';
import { keys } from '../../storage/keys.js';
import { appendReviews, readReviews, withdrawReviews } from '../../storage/reviews.js';
import { ulid } from '../../storage/ulid.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const verdict = (findingId: string): Verdict =>
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
    ...{ correctedSha256: null, reviewer: 'ann', comment: null, reviewedAt: '2026-01-01T00:00:00.000Z' },
  });
const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

describe('the reviews of a pool', () => {
  it('are added, never changed, and read in the order in which people gave them', async () => {
    const store = memoryStore();
    assert.deepEqual(await readReviews(store, 'cars'), {
      ...{ verdicts: [], audits: [], imports: [], keys: [], digest: null },
    });
    await appendReviews(store, 'cars', ulid(at(1)), null, [verdict('1'), verdict('2')]);
    const before = await readReviews(store, 'cars');
    await appendReviews(store, 'cars', ulid(at(2)), null, [verdict('3')]);
    await appendReviews(store, 'vans', ulid(at(3)), null, [verdict('4')]);
    const after = await readReviews(store, 'cars');
    assert.deepEqual(
      after.verdicts.map(({ findingId }) => findingId),
      ['1', '2', '3'],
    );
    assert.notEqual(after.digest, before.digest);
    assert.deepEqual(await readReviews(store, 'cars', before.keys), before);
  });

  it('stop counting once their import is withdrawn, and still count for a reader who saw them before', async () => {
    const store = memoryStore();
    const id = ulid(at(1));
    const about = reviewImportSchema.parse({
      ...{ type: 'import', at: at(1).toISOString(), reviewer: 'ann', scan: null, exportId: null, tableSha256: null },
      asked: [],
    });
    await appendReviews(store, 'cars', id, about, [verdict('1')]);
    await appendReviews(store, 'cars', ulid(at(2)), null, [verdict('2')]);
    const before = await readReviews(store, 'cars');
    await withdrawReviews(store, 'cars', [id], at(3));
    const after = await readReviews(store, 'cars');
    assert.deepEqual(
      after.verdicts.map(({ findingId }) => findingId),
      ['2'],
    );
    assert.deepEqual(
      after.imports.map(({ about, withdrawal }) => [about?.reviewer, withdrawal?.at]),
      [
        ['ann', at(3).toISOString()],
        [undefined, undefined],
      ],
    );
    assert.notEqual(after.digest, before.digest);
    // A replay reads the names that its scan noted, and finds the same reviews.
    assert.deepEqual(await readReviews(store, 'cars', before.keys), before);
    assert.deepEqual(await readReviews(store, 'cars', after.keys), after);
  });

  it('name the object and the line if a verdict is invalid', async () => {
    const store = memoryStore();
    const key = keys.reviews('cars', ulid(at(1)));
    await store.put(key, `${JSON.stringify(verdict('1'))}\n{"findingId":"2"}\n`);
    await assert.rejects(readReviews(store, 'cars'), (error: Error) => error.message.includes(`${key}:2`));
  });

  it('have names that sort by their time', () => {
    const names = [3, 1, 2].map((second) => ulid(at(second)));
    assert.deepEqual(
      [...names].sort(),
      [1, 2, 0].map((index) => names[index]),
    );
    assert.ok(names.every((name) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name)));
  });
});

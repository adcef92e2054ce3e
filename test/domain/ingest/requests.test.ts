import assert from 'node:assert/strict';
import { tableLine } from '../../../domain/base/tableLine.js';
import { ingestDetails } from '../../../domain/ingest/details.js';
import {
  type IngestProgress,
  ingestProgressSchema,
  withFailed,
  withSettled,
  withWaiting,
} from '../../../domain/ingest/requests.js';

const LARGEST = { arrival: '0'.repeat(26), outcome: 'refused' as const, reason: '|'.repeat(500) };
const NOTHING = { added: 0, changed: 0, known: 0, refused: 0, removed: 0 };

describe('the progress of an ingest', () => {
  it('stays small for any number of drops, and keeps the sums of all', () => {
    let progress: IngestProgress = ingestProgressSchema.parse({});
    for (let number = 0; number < 5_000; number++) {
      const drop = `${number}-${'d'.repeat(90)}`;
      progress = withSettled(progress, { drop, ...LARGEST, ...NOTHING, added: 3 });
      progress = withFailed(progress, { drop, error: 'x'.repeat(2_000) });
      progress = withWaiting(progress, { drop, until: new Date(number * 1_000).toISOString(), missing: 1 });
    }
    assert.ok(JSON.stringify(progress).length < 64_000);
    assert.ok(ingestDetails('cars', progress).length < 20_000);
    assert.deepEqual(
      [progress.totals.drops, progress.totals.refusedDrops, progress.totals.added],
      [5_000, 5_000, 15_000],
    );
    assert.equal(progress.last[0]?.drop.startsWith('4999-'), true);
    assert.equal(progress.waiting[0]?.until, new Date(0).toISOString());
  });

  it('says in words what became of the images of each drop', () => {
    const empty: IngestProgress = ingestProgressSchema.parse({});
    const taken = { arrival: 'a', outcome: 'taken' as const, reason: null, ...NOTHING };
    const progress = withSettled(withSettled(empty, { drop: 'none-left', ...taken }), {
      drop: 'monday',
      ...taken,
      known: 14,
      refused: 4,
    });
    const lines = ingestDetails('cars', progress)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    assert.deepEqual(lines.slice(2), [
      tableLine(['monday', 'taken', '14 known, 4 refused']),
      tableLine(['none-left', 'taken', 'none']),
    ]);
  });
});

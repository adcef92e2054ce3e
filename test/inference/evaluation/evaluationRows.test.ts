import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import { evaluationRows } from '../../../inference/evaluation/evaluationRows.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

describe('an unreadable evaluation', () => {
  const hintOf = async (isEarlier: boolean): Promise<string | undefined> => {
    const reading = evaluationRows(memoryStore(), 'evaluations/m/images.parquet', {
      ...{ loop: 'cars', iteration: 7, isEarlier },
    });
    const error = await reading.then(() => null).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartloopError);
    assert.equal(error.code, 'not-found');
    assert.match(error.message, /evaluations\/m\/images\.parquet/);
    return error.hint;
  };

  it('names the replay that makes it again, with the iteration that its reader adds', async () => {
    assert.equal(
      await hintOf(false),
      'Judge the test images again: `partloop iteration replay cars 7 --from evaluate`.',
    );
  });

  it('of an earlier iteration asks for a retry of the later one afterwards', async () => {
    assert.match((await hintOf(true)) ?? '', /replay cars 7 --from evaluate`, then `partloop loop retry cars`\.$/);
  });
});

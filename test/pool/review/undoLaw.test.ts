import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { IndexRow } from '../../../domain/tables.js';
import { NO_FACTS } from '../../../formats/reading/importItem.js';
import { decide } from '../../../pool/import/decide.js';
import { removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../../storage/pool/pool.js';
import { appendReviews } from '../../../storage/reviews.js';
import { ulid } from '../../../storage/ulid.js';
import { idOf, indexRow } from '../../domain/sample/rows.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { clock } from './desk.js';

const LABELS = ['a', 'b', 'c', 'd'] as const;
type LabelName = (typeof LABELS)[number];

const shaOf = (label: LabelName): string => label.repeat(64);
const fieldsOf = (label: LabelName) => ({ labelSha256: shaOf(label), labelUri: keys.label('cars', shaOf(label)) });

/** One image whose label `a` was imported, and those who change it. */
class OneImage {
  private constructor(
    readonly store: ObjectStore,
    readonly pool: Pool,
    private readonly now: () => Date,
  ) {}

  static async imported(): Promise<OneImage> {
    const store = memoryStore();
    await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
    for (const label of LABELS) await store.put(fieldsOf(label).labelUri, label);
    const pool = await openPool(store, 'cars');
    await pool.append(() => [indexRow(1, { ...fieldsOf('a'), labelRevision: 0 })]);
    return new OneImage(store, pool, clock());
  }

  async rows(): Promise<IndexRow[]> {
    return (await this.pool.history()).revisions(idOf(1));
  }

  async row(): Promise<IndexRow> {
    const row = (await this.rows()).at(-1);
    if (row === undefined) throw new Error('no image');
    return row;
  }

  async label(): Promise<string> {
    return (await this.row()).labelSha256.slice(0, 1);
  }

  /** @returns the id of the review */
  async review(label: LabelName): Promise<string> {
    const id = ulid(this.now());
    await this.tell({ ...fieldsOf(label), change: 'review', changeId: id });
    const about = { at: this.now().toISOString(), reviewer: 'ann', scan: null, exportId: 'e', tableSha256: null };
    await appendReviews(this.store, 'cars', id, { type: 'import', ...about, asked: [] }, []);
    return id;
  }

  relabel = (label: LabelName): Promise<void> => this.tell({ ...fieldsOf(label), change: 'relabel', changeId: null });
  tag = (vehicleId: string): Promise<void> => this.tell({ vehicleId, change: 'facts', changeId: null });
  remove = () => removeImages(this.pool, [idOf(1)], { purge: false, now: this.now() });
  restore = () => restoreImages(this.pool, [idOf(1)], this.now());
  undo = (review: string) => undoReview(this.store, { pool: 'cars', review, now: this.now() });

  private async tell(fields: Partial<IndexRow>): Promise<void> {
    const row = await this.row();
    await this.pool.append(() => [{ ...row, ...fields, labelRevision: row.labelRevision + 1 }]);
  }
}

describe('undoing a review', function () {
  this.timeout(120_000);

  it('leaves the imported label to later reviews, also if an undone review had restored it', async () => {
    const image = await OneImage.imported();
    await image.review('b');
    const back = await image.review('a');
    assert.equal((await image.undo(back)).restored, 1);
    const third = await image.review('c');
    await image.undo(third);
    assert.equal(await image.label(), 'b');
  });

  it('goes by who gave a label, and not by its pixels', async () => {
    const image = await OneImage.imported();
    const first = await image.review('b');
    const back = await image.review('a');
    const left = await image.undo(first);
    assert.deepEqual([left.restored, left.leftAlone.length, await image.label()], [0, 1, 'a']);
    const undone = await image.undo(back);
    assert.deepEqual([undone.restored, undone.leftAlone, await image.label()], [1, [], 'a']);
    // The label is that of the import again: an import may replace it.
    const history = await image.pool.history();
    const candidate = { row: { ...(await image.row()), ...fieldsOf('d') }, facts: NO_FACTS };
    const { outcome } = decide(history, candidate, { test: false, relabel: false, restore: false });
    assert.equal(outcome, 'replaced');
  });

  it('leaves a label alone that an import replaced by the same one', async () => {
    const image = await OneImage.imported();
    const review = await image.review('b');
    await image.relabel('c');
    await image.relabel('b');
    const undone = await image.undo(review);
    assert.deepEqual([undone.restored, undone.leftAlone.length, await image.label()], [0, 1, 'b']);
  });

  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('review' as const), label: fc.constantFrom(...LABELS) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('undo' as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('relabel' as const), label: fc.constantFrom(...LABELS) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'tag' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'remove' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'restore' as const }) },
  );

  it('leaves the label of the newest review that still counts, or else the imported one, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const image = await OneImage.imported();
        /** Who gave labels, the newest last. */
        let given: { id: string | null; label: LabelName }[] = [{ id: null, label: 'a' }];
        /** Reviews that were undone while the image was out of the pool. */
        const late: string[] = [];
        const reviews: string[] = [];
        const undo = async (review: string): Promise<void> => {
          const isOut = (await image.row()).removedAt !== null;
          await image.undo(review);
          if (isOut && given.some(({ id }) => id === review)) late.push(review);
          given = given.filter(({ id }) => id !== review);
        };
        for (const one of steps) {
          const isOut = (await image.row()).removedAt !== null;
          if (one.do === 'undo') {
            const review = reviews.splice(one.which % Math.max(1, reviews.length), 1)[0];
            if (review !== undefined) await undo(review);
          } else if (one.do === 'remove') await image.remove();
          else if (one.do === 'restore') await image.restore();
          else if (isOut) continue;
          else if (one.do === 'tag') await image.tag(`v${(await image.rows()).length}`);
          else if (one.label === (await image.label())) continue;
          else if (one.do === 'relabel') {
            await image.relabel(one.label);
            given.push({ id: null, label: one.label });
          } else {
            const id = await image.review(one.label);
            reviews.push(id);
            given.push({ id, label: one.label });
          }
          if (late.length === 0) assert.equal(await image.label(), given.at(-1)?.label);
        }
        await image.restore();
        for (const review of late) await image.undo(review).catch(() => undefined);
        assert.equal(await image.label(), given.at(-1)?.label);
        for (const review of reviews.splice(0)) await undo(review);
        assert.equal(await image.label(), given.at(-1)?.label);
      }),
      { numRuns: 30 },
    );
  });
});

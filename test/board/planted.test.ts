import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Answering } from '../../board/answering.js';
import { AuditOpener } from '../../board/audit/auditDesk.js';
import { shownIds } from '../../board/findingQueue.js';
import { ScanDesk } from '../../board/scanDesk.js';
import { shownFindings } from '../../board/server/shown.js';
import { accuracyOf, labelWithError, plantedFinding, plantedIdAfter } from '../../domain/board/planted.js';
import { queueFilterSchema } from '../../domain/board/queue.js';
import { reviewerFigures } from '../../domain/board/reviewers.js';
import { applySuggestion, suggestionOf } from '../../domain/review/correction.js';
import type { Verdict } from '../../domain/review/review.js';
import { findingKindSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readReviews } from '../../storage/reviews.js';
import { idOf } from '../domain/sample/rows.js';
import { draw, within } from '../pool/review/desk.js';
import { HEIGHT, missingPart, SCAN, type ScannedPool, scannedPool, WIDTH } from '../pool/review/scannedPool.js';
import { TAXONOMY } from '../support/pictures/pictures.js';

/** Class 3 in two pieces, class 1 at the right, class 2 on it. */
const LABEL = draw((x, y) => {
  if (within(x, y, 2, 2, 12, 12) || within(x, y, 2, 14, 12, 19)) return 3;
  if (within(x, y, 24, 4, 32, 12)) return 2;
  return x >= 20 ? 1 : 0;
});
const RASTER = { pixels: LABEL, width: WIDTH, height: HEIGHT };
const OPEN = queueFilterSchema.parse({});
/** Findings of the pool, and images that nothing speaks against. */
const [FOUND, TRUSTED] = [120, 8];
const START = Date.parse('2026-05-01T08:00:00.000Z');

const like = (kind: string, classId: number, suggestedClassId: number) => ({
  ...{ findingId: 'f-1', imageId: idOf(1), fileName: 'a.jpg', kind: findingKindSchema.parse(kind) },
  ...{ classId, suggestedClassId, pWrong: 0.7, areaShare: 0.1, x0: 0, y0: 0, x1: 1, y1: 1, tags: null },
});
const image = { imageId: idOf(9), fileName: 'car-9.jpg', labelSha256: idOf(9) };
const planted = (kind: string, classId: number, suggestedClassId: number) =>
  plantedFinding('p', RASTER, { like: like(kind, classId, suggestedClassId), image, taxonomy: TAXONOMY });

describe('a known error', () => {
  for (const [kind, classId, suggested] of [
    ['missing_part', 0, 3],
    ['wrong_class', 1, 3],
    ['merged_or_split', 1, 2],
  ] as const)
    it(`of the kind ${kind} changes one part of a label, and accepting it gives the label back`, () => {
      const finding = planted(kind, classId, suggested);
      assert.ok(finding);
      const spoiled = labelWithError(RASTER, finding);
      const changed = [...spoiled].filter((value, pixel) => value !== LABEL[pixel]);
      assert.ok(changed.length > 0);
      assert.deepEqual(new Set(changed), new Set([classId]));
      assert.deepEqual([finding.kind, finding.classId, finding.suggestedClassId], [kind, classId, suggested]);
      const suggestion = suggestionOf(finding);
      assert.ok(suggestion);
      const accepted = applySuggestion(spoiled, WIDTH, HEIGHT, suggestion);
      const left = [...accepted].filter((value, pixel) => value !== LABEL[pixel]);
      assert.equal(left.length, 0);
    });

  it('is none where a label has no such part, or the kind is of another sort', () => {
    assert.equal(planted('missing_part', 0, 4), null);
    assert.equal(planted('merged_or_split', 3, 2), null, 'they do not touch');
    assert.equal(planted('hole', 0, 3), null);
    assert.equal(planted('missing_part', 1, 3), null);
  });

  it('is one of twenty, the same each time, and another for another reviewer', () => {
    const idsOf = (reviewer: string): (string | null)[] =>
      Array.from({ length: 20_000 }, (_, at) =>
        plantedIdAfter({ ...like('missing_part', 0, 3), findingId: `f-${at}` }, { scan: SCAN, reviewer }),
      );
    const ann = idsOf('ann');
    const made = ann.filter((id) => id !== null);
    const share = made.length / (made.length + 20_000);
    assert.ok(share > 0.045 && share < 0.055, `${share}`);
    assert.deepEqual(idsOf('ann'), ann);
    assert.ok(made.every((id) => /^[0-9a-f]{24}$/.test(id)));
    assert.equal(new Set([...made, ...idsOf('bob')]).size > 1.9 * made.length, true);
  });

  it('counts for the accuracy if somebody decided, with an interval', () => {
    const said = (verdict: Verdict['verdict'], at: number) => ({
      ...{ plantedId: `p-${at}`, verdict, activeMs: 1, answeredAt: '2026-01-01T00:00:00.000Z' },
    });
    assert.equal(accuracyOf([]), null);
    assert.equal(accuracyOf([said('unsure', 1)]), null);
    const accuracy = accuracyOf([said('accept', 1), said('wrong', 2), said('right', 3), said('unsure', 4)]);
    assert.deepEqual([accuracy?.decided, accuracy?.recognised], [3, 2]);
    const { low, value, high } = accuracy?.share ?? { low: 0, value: 0, high: 0 };
    assert.ok(0.1 < low && low < value && value < high && high < 0.95, `${low} ${value} ${high}`);
  });
});

describe('known errors on the board', function () {
  this.timeout(120_000);
  let folder: string;
  let cars: ScannedPool;
  let desk: ScanDesk;
  let answering: Answering;
  let seconds: number;
  const now = (): Date => new Date(START + 1_000 * seconds++);

  async function start(): Promise<void> {
    desk = await ScanDesk.open(cars.store, SCAN, folder);
    await desk.lookAround();
    answering = new Answering(desk, new AuditOpener(desk));
    await answering.recover(now());
  }
  const fresh = (): Promise<ScannedPool> =>
    scannedPool(FOUND + TRUSTED, {
      label: LABEL,
      image: () => ({ classes: [1, 2, 3] }),
      findings: (row) => (Number.parseInt(row.imageId, 16) <= FOUND ? [missingPart(row)] : []),
    });
  const plantedOf = (reviewer: string): string[] =>
    [...shownIds(desk, OPEN, reviewer)].filter((id) => desk.plants.find(id, reviewer) !== null);
  const answerPlanted = (plantedId: string, verdict: Verdict['verdict'], reviewer = 'ann') =>
    answering.answerPlanted(reviewer, { plantedId, verdict, activeMs: 700, answeredAt: now().toISOString() }, now());
  const answerReal = (number: number, verdict: Verdict['verdict'], reviewer = 'ann') =>
    answering.answer(
      reviewer,
      [
        {
          ...{ findingId: `f-car-${number}.jpg`, imageId: idOf(number), verdict, comment: null, redrawn: null },
          ...{ answeredAt: now().toISOString(), activeMs: 900, isSecond: false },
        },
      ],
      now(),
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-planted-'));
    seconds = 0;
    cars = await fresh();
    await start();
  });
  afterEach(async () => {
    await desk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('come among the findings, the same after a restart, and look like them', async () => {
    const before = [...shownIds(desk, OPEN, 'ann')];
    const known = plantedOf('ann');
    assert.ok(known.length >= 2 && known.length < FOUND / 8, `${known.length} of ${FOUND}`);
    await desk.close();
    await start();
    assert.deepEqual([...shownIds(desk, OPEN, 'ann')], before);
    assert.notDeepEqual(plantedOf('bob'), known);

    const items = await shownFindings(desk, before, 'ann');
    assert.deepEqual(
      items.map(({ id }) => id),
      before,
    );
    const shapes = items.map((item) => Object.entries(item).map(([name, value]) => `${name} ${typeof value}`));
    assert.equal(new Set(shapes.map((shape) => shape.join())).size, 1);
    assert.deepEqual(new Set(items.map(({ kind, pWrong }) => `${kind} ${pWrong}`)).size, 1);
    const images = items.filter(({ id }) => known.includes(id)).map(({ imageId }) => Number.parseInt(imageId, 16));
    assert.ok(
      images.every((number) => number > FOUND),
      'only images without a finding',
    );
  });

  it('stay in their place after the finding before them was answered, and go once they were answered', async () => {
    const ids = [...shownIds(desk, OPEN, 'ann')];
    const [known] = plantedOf('ann');
    const at = ids.indexOf(known ?? '');
    const anchor = ids[at - 1] ?? '';
    await answerReal(Number(/\d+/.exec(anchor)?.[0]), 'right');
    assert.ok(plantedOf('ann').includes(known ?? ''));
    await answerPlanted(known ?? '', 'accept');
    assert.ok(!plantedOf('ann').includes(known ?? ''));
    assert.equal(await answering.undo('ann', now()), known);
    assert.ok(plantedOf('ann').includes(known ?? ''));
    assert.equal(await answering.undo('ann', now()), anchor);
  });

  it('tell the accuracy of each reviewer, and count nowhere else', async () => {
    const [first, second, third] = plantedOf('ann');
    await answerPlanted(first ?? '', 'accept');
    await answerPlanted(second ?? '', 'right');
    if (third !== undefined) await answerPlanted(third, 'unsure');
    await answerReal(1, 'right');
    const { reviewers } = reviewerFigures(desk.batches, 60);
    assert.deepEqual(
      reviewers.map(({ reviewer, answers, accuracy }) => [reviewer, answers, accuracy?.recognised, accuracy?.decided]),
      [['ann', 1, 1, 2]],
    );
    assert.equal(reviewers[0]?.hoursLeft, (0.9 * 60) / 3_600);
  });

  it('change nothing that a scan, a draw or a certificate reads, whatever is answered, taken back or handed in', async () => {
    const before = await outsideOfBoard(cars.store);
    const known = plantedOf('ann');
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.tuple(fc.constantFrom(...known), fc.constantFrom('accept', 'wrong', 'right', 'unsure')),
            fc.constantFrom('undo', 'hand in', 'all due', 'restart'),
          ),
          { maxLength: 12 },
        ),
        async (does) => {
          for (const what of does) {
            if (typeof what !== 'string') await answerPlanted(what[0], what[1] as Verdict['verdict']);
            else if (what === 'undo') await answering.undo('ann', now());
            else if (what === 'hand in') await answering.handIn('ann', now());
            else if (what === 'all due') await answering.handInDue(now(), 'all');
            else {
              await desk.close();
              await start();
            }
          }
          assert.deepEqual(await outsideOfBoard(cars.store), before);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leave real answers as they are without them, also if those are taken back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('accept', 'right', 'planted', 'hand in'), { minLength: 1, maxLength: 14 }),
        fc.nat(4),
        async (does, undone) => {
          const results = [];
          for (const withPlanted of [true, false]) {
            await desk.close();
            cars = await fresh();
            await start();
            const known = plantedOf('ann');
            let number = 0;
            const order: ('real' | 'planted')[] = [];
            for (const what of does) {
              if (what === 'hand in') await answering.handIn('ann', now());
              else if (what !== 'planted') {
                await answerReal(++number, what as 'accept' | 'right');
                order.push('real');
              } else if (known.length > 0) {
                const id = known.shift() ?? '';
                if (withPlanted) await answerPlanted(id, 'accept');
                order.push('planted');
              }
            }
            // Taking a known error back takes no real answer back.
            for (const last of order.reverse().slice(0, undone))
              if (withPlanted || last === 'real') await answering.undo('ann', now());
            await answering.handInDue(now(), 'all');
            const { verdicts } = await readReviews(cars.store, 'cars');
            const labels = [];
            for (let at = 1; at <= number; at++) labels.push((await cars.now(at)).label);
            results.push({
              verdicts: verdicts.map(({ findingId, verdict }) => `${findingId} ${verdict}`).sort(),
              labels,
            });
          }
          assert.deepEqual(results[0], results[1]);
        },
      ),
      { numRuns: 15 },
    );
  });
});

/** Every object but those of the board itself, with its content. */
async function outsideOfBoard(store: ObjectStore): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, etag } of store.list('')) if (!key.startsWith('pools/cars/board/')) found.set(key, etag);
  return found;
}

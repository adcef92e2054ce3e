import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartloopError } from '../../../../domain/base/errors.js';
import type { Round } from '../../../../domain/review/propagate/round.js';
import { PROPAGATE } from '../../../../domain/review/reviewImport.js';
import { answersOf, learnCorrection } from '../../../../domain/scan/calibrate/statistics/plattScaling.js';
import { importVerdicts } from '../../../../pool/review/importVerdicts.js';
import { ask } from '../../../../pool/review/propagate/ask.js';
import { propagate } from '../../../../pool/review/propagate/propagate.js';
import { reviewImports } from '../../../../pool/review/reviewImports.js';
import { undoReview } from '../../../../pool/review/undoReview.js';
import type { ObjectStore } from '../../../../storage/objects/objectStore.js';
import { readReviews } from '../../../../storage/reviews.js';
import { idOf } from '../../../domain/sample/rows.js';
import { memoryStore } from '../../../support/standIns/memoryStore.js';
import { clock, desk, draw, within } from '../desk.js';
import { halfLabel, missingPart, SCAN, type ScannedPool, scannedPool } from '../scannedPool.js';

const LABEL = halfLabel();
/** `missingPart` accepted. */
const FIXED = draw((x) => (x >= 20 ? 1 : 3));
const IMAGES = 60;
const ANSWERS = 20;
/** With 20 answers, none harmful, at most 30 % are bounded in a first round. */
const ALPHA = 0.3;

describe('corrections that follow from answers', function () {
  this.timeout(120_000);
  let folder: string;
  let cars: ScannedPool;
  let now: () => Date;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-propagate-'));
    cars = await scannedPool(IMAGES);
    now = clock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const drawn = (changes: { alpha?: number; answers?: number; from?: number } = {}) =>
    ask(cars.store, {
      ...{ pool: 'cars', scan: SCAN, answers: ANSWERS, alpha: ALPHA, from: 0.5, now: now() },
      ...changes,
    });
  const run = (apply: boolean, store: ObjectStore = cars.store) =>
    propagate(store, { pool: 'cars', scan: SCAN, apply, now: now() });
  async function answer(findings: readonly string[], verdict: string): Promise<void> {
    const path = join(folder, `${verdict}-${findings[0]}.csv`);
    await writeFile(path, `finding_id,verdict\n${findings.map((id) => `${id},${verdict}\n`).join('')}`);
    await importVerdicts(cars.store, { path, reviewer: 'ann', now: now() });
  }
  const numberOf = (findingId: string): number => Number(/\d+/.exec(findingId)?.[0]);
  const asked = ({ strata }: Round): string[] => strata.map((one) => one.drawn);
  const others = (round: Round): string[] =>
    round.strata
      .flatMap((one) => one.proposals.map((each) => each.findingId))
      .filter((id) => !asked(round).includes(id));
  const labelOf = async (findingId: string) => (await cars.now(numberOf(findingId))).label;

  it('are none before findings were drawn and answered', async () => {
    const before = await run(true);
    assert.deepEqual([before.round, before.corrections, before.reason], [null, 0, 'not asked']);
    await answer(['f-car-1.jpg', 'f-car-2.jpg'], 'accept');
    const { round, findings, proposals } = await drawn();
    assert.equal(round.taught, 2);
    assert.deepEqual([findings.length, proposals], [ANSWERS, IMAGES - 2 - ANSWERS]);
    const report = await run(true);
    assert.deepEqual([report.corrections, report.reason, report.openQuestions], [0, 'too few answers', ANSWERS]);
    assert.deepEqual((await readReviews(cars.store, 'cars')).imports.length, 1);
  });

  it('put the same masks into labels as accepting does, once, and one undo takes them back', async () => {
    const { round } = await drawn();
    await answer(asked(round), 'accept');
    const dry = await run(false);
    assert.deepEqual([dry.corrections, dry.review, dry.revised], [IMAGES - ANSWERS, null, 0]);
    assert.deepEqual(
      dry.groups.map(({ kind, from, to, corrections, images }) => ({ kind, from, to, corrections, images })),
      [{ kind: 'missing_part', from: 'background', to: 'mirror', corrections: 40, images: 40 }],
    );
    const [first = ''] = others(round);
    assert.deepEqual(await labelOf(first), LABEL);

    const report = await run(true);
    assert.deepEqual([report.revised, report.notApplied], [IMAGES - ANSWERS, []]);
    for (const id of others(round)) assert.deepEqual(await labelOf(id), FIXED);
    const again = await run(true);
    assert.deepEqual([again.review, again.revised, again.corrections], [report.review, 0, IMAGES - ANSWERS]);

    const reviews = await readReviews(cars.store, 'cars');
    const [newest] = reviewImports(reviews, await cars.pool.history());
    assert.deepEqual(
      [newest?.id, newest?.reviewer, newest?.labels, newest?.verdicts, newest?.isRepeat],
      [report.review, PROPAGATE, IMAGES - ANSWERS, 0, false],
    );
    const log = reviews.imports.at(-1)?.about?.propagation;
    assert.deepEqual([log?.round, log?.alpha, log?.answers.length, log?.corrections.length], [round.id, ALPHA, 20, 40]);

    const undone = await undoReview(cars.store, { pool: 'cars', now: now() });
    assert.deepEqual([undone.review.id, undone.restored, undone.leftAlone], [report.review, IMAGES - ANSWERS, []]);
    for (const id of others(round)) assert.deepEqual(await labelOf(id), LABEL);
    for (const id of asked(round)) assert.deepEqual(await labelOf(id), FIXED);
    const fresh = await run(true);
    assert.notEqual(fresh.review, report.review);
    assert.equal(fresh.revised, IMAGES - ANSWERS);
  });

  it('never count as answers of reviewers', async () => {
    const { round } = await drawn();
    await answer(asked(round), 'accept');
    const before = await readReviews(cars.store, 'cars');
    await run(true);
    const after = await readReviews(cars.store, 'cars');
    assert.deepEqual(after.verdicts, before.verdicts);
    assert.deepEqual(after.audits, before.audits);
    assert.equal(learnCorrection(answersOf(after.verdicts)).answers, ANSWERS);
  });

  it('are none if answers say that proposals are often not right', async () => {
    const { round } = await drawn();
    const ids = asked(round);
    await answer(ids.slice(0, 8), 'wrong');
    await answer(ids.slice(8), 'accept');
    const report = await run(true);
    assert.deepEqual([report.corrections, report.reason, report.accepted], [0, 'bound not met', 12]);
    // So few proposals remain that no draw from them would do.
    assert.equal(report.answersNeeded, null);
    for (const id of others(round)) assert.deepEqual(await labelOf(id), LABEL);
  });

  it('never reach the test set, removed images, or labels that people redrew', async () => {
    await cars.pool.append((history) =>
      [1, 2].flatMap((one) => {
        const row = history.latest(idOf(one));
        if (row === undefined) return [];
        const facts = one === 1 ? { split: 'test' as const } : { removedAt: '2026-01-02T00:00:00.000Z' };
        return [{ ...row, ...facts, labelRevision: row.labelRevision + 1, change: 'facts' as const }];
      }),
    );
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const redrawn = draw((x, y) => (x >= 20 ? 1 : within(x, y, 0, 0, 4, 4) ? 2 : 0));
    const { round } = await drawn();
    const all = round.strata.flatMap((one) => one.proposals.map(({ findingId }) => numberOf(findingId)));
    assert.ok(!all.includes(1) && !all.includes(2));
    const [late = ''] = others(round);
    await take(await returned({ [numberOf(late)]: redrawn }));
    await answer(asked(round), 'accept');
    const report = await run(true);
    assert.equal(report.corrections, others(round).length - 1);
    assert.deepEqual(await labelOf(late), redrawn);
    assert.deepEqual((await cars.now(1)).label, LABEL);
  });

  it('are none if too many proposals were redrawn since the draw', async () => {
    const { returned, take } = await desk(cars.store, folder, 'masks', now);
    const { round } = await drawn();
    await answer(asked(round), 'accept');
    const gone = others(round).slice(0, 5);
    await take(await returned(Object.fromEntries(gone.map((id) => [numberOf(id), FIXED.map((one) => one && 2)]))));
    const report = await run(true);
    assert.deepEqual([report.corrections, report.reason], [0, 'too many dropped out']);
  });

  it('go on after a call that died between its record and the labels', async () => {
    const { round } = await drawn();
    await answer(asked(round), 'accept');
    const { store } = cars;
    let died = false;
    const dying: ObjectStore = Object.assign(Object.create(store), {
      async putIfAbsent(key: string, body: Uint8Array | string, type?: string) {
        if (key.includes('/catalog/')) {
          died = true;
          throw new Error('the process died');
        }
        return store.putIfAbsent(key, body, type);
      },
    });
    await assert.rejects(run(true, dying), /the process died/);
    assert.ok(died);
    const [first = ''] = others(round);
    assert.deepEqual(await labelOf(first), LABEL);
    const imports = (await readReviews(cars.store, 'cars')).imports.length;
    const report = await run(true);
    assert.equal(report.revised, IMAGES - ANSWERS);
    assert.equal((await readReviews(cars.store, 'cars')).imports.length, imports);
    assert.deepEqual(await labelOf(first), FIXED);
  });

  it('are asked about again until all questions are answered, and then in a new round that costs certainty', async () => {
    const first = await drawn();
    const again = await drawn({ answers: 5 });
    assert.deepEqual([again.isEarlier, again.round.id, again.findings.length], [true, first.round.id, ANSWERS]);
    const [one = '', ...rest] = asked(first.round);
    await answer([one], 'right');
    assert.equal((await drawn()).findings.length, ANSWERS - 1);
    await answer(rest, 'accept');
    const second = await drawn({ alpha: 0.5 });
    assert.deepEqual([second.isEarlier, second.round.number, second.round.taught], [false, 2, ANSWERS]);
    const known = new Set(asked(first.round));
    assert.ok(asked(second.round).every((id) => !known.has(id)));
  });

  it('ask no question if nothing could follow from any answers, and say how many would do', async () => {
    await assert.rejects(drawn({ answers: 14 }), (error: PartloopError) => {
      assert.match(
        error.message,
        /^14 answers to 60 open proposals cannot show that at most a share of 0.3 is harmful/,
      );
      assert.equal(error.hint, 'Draw at least 15: `--ask 15`.');
      return true;
    });
    await assert.rejects(drawn({ alpha: 0.01 }), (error: PartloopError) => /No number/.test(error.hint ?? ''));
    assert.equal((await drawn({ answers: 15 })).round.number, 1);
  });

  it('ask nothing of a scan without open proposals', async () => {
    cars = await scannedPool(3, {
      store: memoryStore(),
      findings: (image) => [missingPart(image, { proposal: null })],
    });
    await assert.rejects(drawn(), /no open proposal with a probability of at least 0.5/);
  });
});

import assert from 'node:assert/strict';
import { account } from '../../../bench/day/account/account.js';
import type { Ledger, SentEntry } from '../../../bench/day/ledger.js';
import type { IterationThere, PoolImage, There } from '../../../bench/day/there.js';
import type { Receipt } from '../../../domain/ingest/receipt.js';

const NEW_IMAGES = 2;
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 8, minute)).toISOString();

const entry = (name: string, more: Partial<SentEntry> = {}): SentEntry => ({
  ...{ name, sha256: name, labelSha256: `label of ${name}`, fate: 'taken', reason: null },
  files: [{ path: `images/${name}.jpg`, sha256: name }],
  ...more,
});

function ledger(): Ledger {
  const one = { format: 'coco' as const, strays: [], mayBeReadTwice: false, stays: [] };
  return {
    imported: [{ sha256: 'test', labelSha256: 'label of test', split: 'test' }],
    drops: [
      {
        ...{ drop: 'd1', kind: 'ordinary', ...one },
        entries: [entry('a'), entry('b'), entry('bad', { fate: 'rejected', reason: 'not a readable picture' })],
        receipts: { taken: 1, repeated: 1, refused: 1 },
      },
      {
        ...{ drop: 'd2', kind: 'ordinary', ...one },
        entries: [
          entry('c'),
          entry('d'),
          entry('a', { fate: 'twice' }),
          entry('test', { fate: 'leak', reason: 'test' }),
        ],
        strays: [{ path: 'notes.txt', sha256: 'notes' }],
        receipts: { taken: 1, repeated: 0, refused: 0 },
        stays: ['left.jpg'],
      },
    ],
    ...{ removals: ['b'], iterations: 2, failing: 2 },
  };
}

const receipt = (drop: string, arrival: string, more: Partial<Receipt>): Receipt => ({
  ...{ version: 1, pool: 'day', drop, arrival, digest: '', outcome: 'taken', reason: null, sameAs: null },
  ...{ firstSeenAt: at(0), settledAt: at(1), files: 0, bytes: 0, format: 'coco', entries: 0, added: 0, replaced: 0 },
  ...{ updated: 0, restored: 0, known: 0, removedEarlier: 0, refused: 0, strays: 0, nearDuplicates: 0 },
  ...{ split: { train: 0, val: 0, test: 0, drawn: 0 }, poolVersion: 1, reasons: [], notices: [] },
  ...{ removals: null, rejected: null, ...more },
});

const image = (imageId: string, importedBy: string | null, more: Partial<PoolImage> = {}): PoolImage => ({
  ...{ imageId, importedBy, imports: 1, split: 'train', ingestedAt: at(1), removedAt: null },
  ...{ bytesSha256: imageId, labelSha256: `label of ${imageId}`, ...more },
});

const iteration = (number: number, images: string[], more: Partial<IterationThere> = {}): IterationThere => ({
  ...{ iteration: number, status: 'finished', failedAttempts: 0, images, gate: 'held', miou: 0.5 },
  ...{ startedAt: at(10 * number), endedAt: at(10 * number + 9), ...more },
});

/** What is there if all went well. */
function there(): There {
  return {
    images: [
      image('test', null, { split: 'test' }),
      ...[image('a', 'r1', { ingestedAt: at(10) }), image('b', 'r1', { ingestedAt: at(10), removedAt: at(15) })],
      ...[image('c', 'r2', { ingestedAt: at(20) }), image('d', 'r2', { ingestedAt: at(20) })],
    ],
    receipts: [
      receipt('d1', 'r0', { outcome: 'refused', reason: 'no labels' }),
      receipt('d1', 'r1', { entries: 3, added: 2, refused: 1 }),
      receipt('d1', 'r3', { outcome: 'repeated', sameAs: 'r1' }),
      receipt('d2', 'r2', { entries: 4, added: 2, known: 1, refused: 1, strays: 1 }),
    ],
    open: [],
    rejected: [
      { drop: 'd1', arrival: 'r0', path: '_DROP', sha256: null, reason: 'no labels' },
      { drop: 'd1', arrival: 'r1', path: 'images/bad.jpg', sha256: 'bad', reason: 'it is not a readable picture' },
      { drop: 'd2', arrival: 'r2', path: 'images/test.jpg', sha256: 'test', reason: 'a copy of a test image' },
      { drop: 'd2', arrival: 'r2', path: 'notes.txt', sha256: 'notes', reason: 'no label of the drop names it' },
    ],
    inbox: ['inbox/day/d2/left.jpg'],
    iterations: [iteration(1, ['a', 'b']), iteration(2, ['c', 'd'], { failedAttempts: 1 })],
    production: [1],
  };
}

/** The sentences of an account after a change of what is there. */
function faultsAfter(change: (found: There) => void): string {
  const found = there();
  change(found);
  return account(ledger(), found, NEW_IMAGES).faults.join('\n');
}

const first = <T>(list: readonly T[], isMeant: (value: T) => boolean): T => {
  const found = list.find(isMeant);
  if (found === undefined) throw new Error('the example lacks it');
  return found;
};
const imageOf = (found: There, id: string): PoolImage => first(found.images, ({ imageId }) => imageId === id);
const without = <T>(list: T[], isMeant: (value: T) => boolean): void => {
  const index = list.findIndex(isMeant);
  assert.ok(index >= 0);
  list.splice(index, 1);
};

describe('the account of a day', () => {
  it('finds nothing if everything is there once', () => {
    const { faults, lines, waits } = account(ledger(), there(), NEW_IMAGES);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      lines.filter(({ sent, there: found }) => sent !== found),
      [],
    );
    assert.deepEqual(waits, [
      { iteration: 1, seconds: 0 },
      { iteration: 2, seconds: 0 },
    ]);
  });

  it('names an image that is lost, one that nobody sent, and one that came twice', () => {
    assert.match(
      faultsAfter(({ images }) => without(images, ({ imageId }) => imageId === 'c')),
      /c of drop d2 is lost/,
    );
    assert.match(
      faultsAfter(({ images }) => images.push(image('x', 'r2'))),
      /image x is in the pool, and nobody sent/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'c'), { imports: 2 })),
      /c came into the pool 2/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'a'), { importedBy: 'r2' })),
      /a of drop d1 was brought by d2/,
    );
  });

  it('compares bytes and labels with those that were sent', () => {
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'd'), { bytesSha256: 'e' })),
      /bytes of image d/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'd'), { labelSha256: 'e' })),
      /label of image d/,
    );
  });

  it('names an image that should be removed, and one that should not', () => {
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'b'), { removedAt: null })),
      /b should be removed/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'c'), { removedAt: at(50) })),
      /c was removed, and nobody asked/,
    );
  });

  it('names rejected files that are lost, doubled, changed, without a reason or with another', () => {
    const bad = (found: There) => first(found.rejected, ({ path }) => path === 'images/bad.jpg');
    assert.match(
      faultsAfter(({ rejected }) => without(rejected, ({ path }) => path === 'notes.txt')),
      /notes.txt .* lost/,
    );
    assert.match(
      faultsAfter((found) => found.rejected.push({ ...bad(found), arrival: 'r9' })),
      /in rejected\/ 2 times/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(bad(found), { sha256: 'x' })),
      /with other bytes/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(bad(found), { reason: null })),
      /without a reason/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(bad(found), { reason: 'too large' })),
      /since “too large”/,
    );
    assert.match(
      faultsAfter((found) => found.rejected.push({ ...bad(found), path: 'images/a.jpg' })),
      /images\/a.jpg of drop d1 is in rejected\/, and should not be/,
    );
    assert.match(
      faultsAfter(({ rejected }) => without(rejected, ({ path }) => path === '_DROP')),
      /has 0 reasons/,
    );
  });

  it('adds up receipts, in themselves and with the pool', () => {
    const taken = (found: There) => first(found.receipts, ({ arrival }) => arrival === 'r1');
    assert.match(
      faultsAfter((found) => Object.assign(taken(found), { entries: 4 })),
      /counts 3 of 4 entries/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(taken(found), { added: 3, entries: 4 })),
      /says 3 added; .* has 2/,
    );
    assert.match(
      faultsAfter(({ receipts }) => without(receipts, ({ arrival }) => arrival === 'r3')),
      /1 receipts `repeated` are due, its receipts say 0/,
    );
    assert.match(
      faultsAfter(({ receipts }) => receipts.push(receipt('d9', 'r9', {}))),
      /drop d9, which nobody sent/,
    );
    assert.match(
      faultsAfter(({ open }) => open.push({ drop: 'd2', arrival: 'r7' })),
      /drop d2 is not settled/,
    );
  });

  it('names what lies in the inbox and should not, and what is gone from it', () => {
    assert.match(
      faultsAfter(({ inbox }) => inbox.push('inbox/day/d1/a.jpg')),
      /d1\/a.jpg lies in the inbox still/,
    );
    assert.match(
      faultsAfter(({ inbox }) => inbox.splice(0)),
      /d2\/left.jpg should wait in the inbox and is gone/,
    );
  });

  it('names images drawn twice, test images, removed ones and unknown ones in chunks', () => {
    const second = (found: There): IterationThere => first(found.iterations, (one) => one.iteration === 2);
    assert.match(
      faultsAfter((found) => second(found).images.push('a')),
      /a was drawn by iterations 1 and 2/,
    );
    assert.match(
      faultsAfter((found) => second(found).images.push('test')),
      /iteration 2 drew test image test/,
    );
    assert.match(
      faultsAfter((found) => second(found).images.push('x')),
      /drew image x, which no pool has/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(imageOf(found, 'b'), { removedAt: at(5) })),
      /iteration 1 drew image b, which had been removed/,
    );
  });

  it('names iterations that are missing, doubled, unfinished, or failed unasked', () => {
    const second = (found: There): IterationThere => first(found.iterations, (one) => one.iteration === 2);
    assert.match(
      faultsAfter(({ iterations }) => iterations.splice(1)),
      /iterations: 2 sent, 1 are there/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(second(found), { iteration: 3 })),
      /3 is recorded where 2 should be/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(second(found), { status: 'failed' })),
      /2 is not finished/,
    );
    assert.match(
      faultsAfter((found) => Object.assign(second(found), { failedAttempts: 0 })),
      /2 failed 0 times, and should/,
    );
    assert.match(
      faultsAfter(({ iterations: [one] }) => Object.assign(one ?? {}, { failedAttempts: 1 })),
      /1 times, unasked/,
    );
    assert.match(
      faultsAfter(({ production }) => production.splice(0)),
      /no model is in production/,
    );
    assert.match(
      faultsAfter(({ production }) => production.push(1)),
      /1 went into production twice/,
    );
    assert.match(
      faultsAfter(({ production }) => production.push(7)),
      /of iteration 7, which is not done/,
    );
  });

  it('tells how long an iteration waited that had its images, and that it was too long', () => {
    const late = there();
    Object.assign(late.iterations[1] ?? {}, { startedAt: at(22), endedAt: at(29) });
    const { waits, faults } = account(ledger(), late, NEW_IMAGES);
    assert.deepEqual(waits[1], { iteration: 2, seconds: 120 });
    assert.match(faults.join('\n'), /iteration 2 began 120 s after it could/);
  });
});

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { IndexRow } from '../../../domain/tables.js';
import { openPool } from '../../../storage/pool/pool.js';
import { startTestStore, type TestStore } from '../../support/servers/s3.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';
import { checkHistory, type Deed, deeds, IMAGES, Person, POOL, rowOf } from './world.js';

const SEQUENCES = 15;
const ALL_IN: Deed = { do: 'import', labels: [1, 1, 1], relabel: false, restore: false };
const ROUNDS = 2;
/** Around every random sequence, so that each kind of deed has its effect at least once. */
const BEFORE: Deed[] = [
  ALL_IN,
  { do: 'export' },
  { do: 'correct', from: 0, image: 0, value: 2 },
  { do: 'return again' },
  { do: 'undo', which: 0 },
  { ...ALL_IN, labels: [0, 3, 3] },
];
const AFTER: Deed[] = [
  { do: 'remove', image: 0 },
  { do: 'restore', image: 0 },
];

describe('any sequence of commands on a pool', function () {
  this.timeout(240_000);

  it('loses no revision, changes nothing when repeated, and keeps the newest human answer', async () => {
    const done = new Set<string>();
    const changes = new Set<IndexRow['change']>();
    await fc.assert(
      fc.asyncProperty(deeds(12), async (more) => {
        const sequence: Deed[] = [...BEFORE, ...more, ...AFTER];
        const store = memoryStore();
        const person = await Person.at(store, 'ann');
        try {
          let rows: IndexRow[] = [];
          // The label that a person chose last for each image, as long as nobody chose another.
          const chosen = new Map<number, string>();
          for (const deed of sequence) {
            done.add(deed.do);
            const labelsBefore = await labelsNow(person);
            await person.act(deed);
            const labelsAfter = await labelsNow(person);
            rows = rows.length === 0 && labelsAfter.size === 0 ? [] : await checkHistory(store, rows, { asked: true });
            checkChosen(deed, labelsBefore, labelsAfter, chosen);
            await checkAgain(person, deed, rows);
          }
          for (const { change } of rows) changes.add(change);
        } finally {
          await person.leave();
        }
      }),
      { numRuns: SEQUENCES },
    );
    assert.deepEqual([...done].sort(), ['correct', 'export', 'import', 'remove', 'restore', 'return again', 'undo']);
    const made = ['import', 'relabel', 'removal', 'restore', 'review', 'undo'];
    assert.deepEqual([...changes].sort(), made, 'some deeds never had an effect: the test shows nothing');
  });
});

/** The newest label of each image, removed ones included. */
async function labelsNow(person: Person): Promise<Map<number, string>> {
  const history = await person.history().catch(() => null);
  const labels = new Map<number, string>();
  if (history === null) return labels;
  for (let image = 0; image < IMAGES; image++) {
    const row = rowOf(history, image);
    if (row !== undefined) labels.set(image, row.labelSha256);
  }
  return labels;
}

function checkChosen(
  deed: Deed,
  before: ReadonlyMap<number, string>,
  after: ReadonlyMap<number, string>,
  chosen: Map<number, string>,
): void {
  for (const [image, label] of after) {
    const changed = before.get(image) !== label;
    if (deed.do === 'correct' || deed.do === 'return again') {
      if (changed) chosen.set(image, label);
    } else if (deed.do === 'undo' || (deed.do === 'import' && deed.relabel)) {
      if (changed) chosen.delete(image);
    }
    const human = chosen.get(image);
    if (human !== undefined) assert.equal(label, human, `${deed.do} undid a human answer`);
  }
}

/** Equal input changes nothing. */
async function checkAgain(person: Person, deed: Deed, rows: readonly IndexRow[]): Promise<void> {
  if (deed.do === 'undo' || deed.do === 'correct') return;
  await person.act(deed);
  const history = await person.history().catch(() => null);
  const after = history === null ? [] : [...history.rows()];
  assert.equal(after.length, rows.length, `${deed.do}, done again, wrote something`);
}

describe('any commands on a pool at the same time, from several processes', function () {
  this.timeout(240_000);
  let server: TestStore;

  before(async () => {
    server = await startTestStore();
  });

  after(() => server.stop());

  it('lose no revision and no human answer', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const store = server.open(`sequences-${round}`);
      const first = await Person.at(store, 'first');
      await first.act(ALL_IN);
      await first.leave();
      const sequences = fc.sample(deeds(10), { numRuns: 3, seed: 100 + round }).map((sequence, image): Deed[] => [
        { do: 'export' },
        { do: 'correct', from: 0, image, value: 2 },
        // Nobody asks for labels to be replaced, so that no import may undo a review.
        ...sequence.map((deed) => (deed.do === 'import' ? { ...deed, relabel: false } : deed)),
      ]);
      const reports = await Promise.all(
        sequences.map((sequence, number) => runProcess(server, `sequences-${round}`, `p${number}`, sequence)),
      );
      for (const seen of reports) await checkHistory(store, seen, { asked: false });
      const pool = await openPool(store, POOL);
      const reviews = [...(await pool.history()).rows()].filter(({ change }) => change === 'review');
      // Of two who paint one place, the later one is refused by name, also if a third removes the image.
      assert.ok(reviews.length > 0, 'nobody corrected anything: the test shows nothing');
    }
  });
});

/** The rows that a process saw at its end. */
function runProcess(server: TestStore, prefix: string, name: string, sequence: readonly Deed[]): Promise<IndexRow[]> {
  const main = join(fileURLToPath(import.meta.url), '..', 'personMain.js');
  const child = fork(main, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((done, failed) => {
    let rows: IndexRow[] | null = null;
    child.on('message', (message: { rows: IndexRow[] }) => {
      rows = message.rows;
    });
    child.once('error', failed);
    child.once('exit', (code) => {
      if (rows === null) failed(new Error(`process ${name} ended with ${code}`));
      else done(rows);
    });
    child.send({ options: server.options, prefix, name, sequence });
  });
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { account } from '../../../bench/day/account/account.js';
import { type Car, sha256 } from '../../../bench/day/cars.js';
import type { Parcel } from '../../../bench/day/drops/parcel.js';
import { MOST_CARS, planDay } from '../../../bench/day/drops/plan.js';
import { SPECIAL } from '../../../bench/day/drops/special.js';
import { actsOf } from '../../../bench/day/play.js';
import { makePool, POOL, setRules } from '../../../bench/day/setUp.js';
import { readPoolThere } from '../../../bench/day/there.js';
import { DROP_MARKER } from '../../../domain/ingest/drop.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { DECODE_HERE } from '../../../pool/import/decoder.js';
import { wholeDrops } from '../../../pool/ingest/inbox.js';
import { settleDrop } from '../../../pool/ingest/settleDrop.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const SIZE = 32;
/** Two ordinary drops, and one beside each that is not. */
const DROPS = 2 + 2 * SPECIAL.length;
const ORDINARY_KEPT = 2;

describe('the drops of a day', function () {
  this.timeout(10 * 60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-drops-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('of every kind are settled so that each image that was sent is accounted for', async () => {
    const cars = {
      train: await madeUp('train', DROPS * MOST_CARS),
      val: await madeUp('val', 2),
      test: await madeUp('test', 8),
    };
    const whole = await planDay(cars, DROPS, 1);
    // Of the ordinary drops only those that others copy, or ask to remove images of.
    const ordinary = whole.drops.filter(({ sent }) => sent.kind === 'ordinary').slice(ORDINARY_KEPT);
    const drops = whole.drops.filter((drop) => !ordinary.includes(drop));
    const plan = { ...whole, drops, ledger: { ...whole.ledger, drops: drops.map(({ sent }) => sent) } };
    const store = memoryStore();
    await makePool(store, folder, cars);
    for (const { planned, parcel } of actsOf(plan.drops)) {
      await send(store, planned.sent.drop, parcel);
      if (parcel.marker !== null) await settleAll(store);
    }
    await setRules(store, { waitHours: 0 });
    await settleAll(store);
    const there = { ...(await readPoolThere(store, POOL)), iterations: [], production: [] };
    const { faults } = account({ ...plan.ledger, iterations: 0, failing: null }, there, plan.newImages);
    assert.deepEqual(faults, []);
    assert.ok(new Set(plan.ledger.drops.map(({ kind }) => kind)).size >= 18);
  });
});

/** Pictures that look like no other, each half of one part. */
function madeUp(split: string, count: number): Promise<Car[]> {
  const pixels = Uint8Array.from({ length: SIZE * SIZE }, (_, at) => (at % SIZE < SIZE / 2 ? 1 : 0));
  return Promise.all(
    Array.from({ length: count }, async (_, number): Promise<Car> => {
      const name = `${split}-${number}`;
      const greys = createHash('shake128', { outputLength: 72 }).update(name).digest();
      const jpeg = await sharp(greys, { raw: { width: 9, height: 8, channels: 1 } })
        .resize(SIZE, SIZE, { fit: 'fill', kernel: 'nearest' })
        .jpeg({ quality: 95 })
        .toBuffer();
      const facts = { tags: NO_TAGS, vehicleId: `vehicle of ${name}` };
      return { name, size: SIZE, jpeg, sha256: sha256(jpeg), pixels, labelSha256: sha256(pixels), ...facts };
    }),
  );
}

async function send(store: ObjectStore, drop: string, { files, marker }: Parcel): Promise<void> {
  const place = keys.drop(POOL, drop);
  for (const [path, body] of files) await store.put(`${place}${path}`, body);
  if (marker !== null) await store.put(`${place}${DROP_MARKER}`, marker);
}

/** What an ingest does: every whole drop in order of the names. */
async function settleAll(store: ObjectStore): Promise<void> {
  const { drops } = await wholeDrops(store, POOL, { after: null, limit: 1_000, onProgress: () => undefined });
  for (const drop of drops)
    await settleDrop(store, { pool: POOL, drop, decoder: DECODE_HERE, onProgress: () => undefined });
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { encodeRle } from '../../../domain/geometry/rle.js';
import { type FindingRow, findingRowSchema, type TrainingRow } from '../../../domain/tables.js';
import { IGNORE_INDEX } from '../../../domain/taxonomy.js';
import { withIgnoredRegions } from '../../../storage/pictures/ignoredRegions.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { chunkRow, idOf, scanRow } from '../../domain/sample/rows.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const [WIDTH, HEIGHT] = [16, 8];
const grid = { x0: 0, y0: 0, x1: 4, y1: 2 };

/** The upper left quarter of a picture, on a grid a quarter as fine. */
const finding = (n: number): FindingRow =>
  findingRowSchema.parse({
    ...{ findingId: `f${n}`, imageId: idOf(n), fileName: `car-${n}.jpg`, labelSha256: idOf(n), kind: 'missing_part' },
    ...{ classId: 0, suggestedClassId: 1, areaPx: 2, areaShare: 0.25, pWrong: 0.9, pModel: 0.9 },
    ...{ x0: 0, y0: 0, x1: 0.5, y1: 0.5, evidence: '{}' },
    proposal: JSON.stringify({ size: [2, 4], counts: encodeRle((pixel) => pixel === 0 || pixel === 1, grid, 4, 2) }),
  });

describe('an image that stays in training without its suspect regions', () => {
  it('gets a label in which training ignores them, and keeps it until the label itself is corrected', async () => {
    const store = memoryStore();
    const label = await encodeLabel(new Uint8Array(WIDTH * HEIGHT).fill(2), WIDTH, HEIGHT);
    const labelSha256 = createHash('sha256').update(label).digest('hex');
    const rows = [0, 1].map((n): TrainingRow => {
      const labelUri = `labels/${n}`;
      return { ...chunkRow(n, { width: WIDTH, height: HEIGHT, labelSha256, labelUri }), pickedIn: 1 };
    });
    for (const row of rows) await store.put(row.labelUri, label);
    const scanned = [
      scanRow(0, { labelSha256, regionsIgnored: true, findings: 1 }),
      scanRow(1, { labelSha256, findings: 1 }),
    ];
    const key = (sha256: string): string => `step/labels/${sha256}.png`;

    const { rows: changed } = await withIgnoredRegions(store, rows, scanned, [finding(0), finding(1)], key);
    assert.equal(changed.length, 1, 'the other image stays as it is');
    const [first] = changed;
    assert.equal(first?.labelRevision, rows[0]?.labelRevision);
    const bytes = (await store.get(first?.labelUri ?? '')).body;
    assert.equal(createHash('sha256').update(bytes).digest('hex'), first?.labelSha256);
    const { pixels } = await decodeLabel(bytes);
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++)
        assert.equal(pixels[y * WIDTH + x], x < WIDTH / 2 && y < HEIGHT / 2 ? IGNORE_INDEX : 2);

    const again = await withIgnoredRegions(store, changed, scanned, [finding(0)], key);
    assert.deepEqual(again, { rows: [], leftOut: [] });

    await store.delete(['labels/0']);
    const without = await withIgnoredRegions(store, rows, scanned, [finding(0)], key);
    assert.deepEqual(without.rows, [], 'with its suspect region it must not train');
    assert.deepEqual(
      without.leftOut.map(({ fileName, kind }) => [fileName, kind]),
      [['car-0.jpg', 'gone']],
    );
  });
});

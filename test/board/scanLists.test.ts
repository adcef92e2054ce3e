import assert from 'node:assert/strict';
import type { ServedBoard } from '../../board/server/serve.js';
import { type ScanRecord, scanRecordSchema } from '../../domain/scan/record.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { SCAN } from '../pool/review/scannedPool.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { boardOver, poolForBoard } from './kit.js';

const IMAGES = 4;

describe('pages of the board that list scans', function () {
  this.timeout(60_000);
  let store: ObjectStore;
  let board: ServedBoard;

  beforeEach(async () => {
    store = memoryStore();
    await poolForBoard(store, IMAGES, { rows: { auditChance: 0.5 } });
    board = await boardOver(store);
  });
  afterEach(() => board.close());

  const pageOf = async (path: string): Promise<string> => {
    const response = await fetch(board.urlOf(path), { headers: { cookie: 'partloop_name=Ann' } });
    assert.equal(response.status, 200);
    return response.text();
  };
  /** The same scan under another name, with a table of its own. */
  async function another(name: string, images: string): Promise<void> {
    const there = new TextDecoder().decode((await store.get(keys.scan(SCAN))).body);
    const record: ScanRecord = scanRecordSchema.parse(JSON.parse(there));
    const outputs = { ...record.result.outputs, images };
    await store.put(keys.scan(name), JSON.stringify({ ...record, scan: name, result: { ...record.result, outputs } }));
  }

  it('say how many of an audit sample are open, and list a scan whose table is gone without it', async () => {
    await another('scan-lost', 'gone.parquet');
    const page = await pageOf('/');
    assert.match(page, new RegExp(`Audit sample: ${IMAGES} of ${IMAGES} open`));
    assert.match(page, /href="\/audit\/scan-lost">Audit sample</);
  });

  it('lead from the findings of one scan to those of the others with the same filter', async () => {
    assert.doesNotMatch(await pageOf(`/review/${SCAN}`), /The same of/);
    await another('scan-other', 'images.parquet');
    for (const path of ['/review', '/grid']) {
      const page = await pageOf(`${path}/${SCAN}?kind=missing_part&from=0.5`);
      const [link] = new RegExp(`href="${path}/scan-other\\?([^"]*)"`).exec(page)?.slice(1) ?? [];
      const query = new URLSearchParams((link ?? '').replaceAll('&amp;', '&'));
      assert.deepEqual([query.get('kind'), query.get('from')], ['missing_part', '0.5']);
    }
  });
});

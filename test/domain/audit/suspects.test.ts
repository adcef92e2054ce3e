import assert from 'node:assert/strict';
import { auditNames, slugOf } from '../../../domain/audit/names.js';
import { suspectLabels, wrongShare } from '../../../domain/audit/suspects.js';
import { nameSchema } from '../../../domain/base/ids.js';
import type { FindingRow, ScanImageRow } from '../../../domain/tables.js';

const image = (name: string, pMislabelled: number, more: Partial<ScanImageRow> = {}): ScanImageRow => ({
  ...{ imageId: name.padEnd(64, '0'), fileName: name, labelSha256: 'a'.repeat(64), labelQuality: 1 - pMislabelled },
  ...{ pMislabelled, quarantined: false, regionsIgnored: false, kinds: ['missing_part'], findings: 1, labelIou: 1 },
  ...{ hardness: 0, classIou: '{}', predictedClasses: [], inferredTags: '{}', model: 'm', auditChance: null },
  ...{ error: null, ...more },
});
const finding = (of: ScanImageRow, findingId: string, pWrong: number): FindingRow => ({
  ...{ findingId, imageId: of.imageId, fileName: of.fileName, labelSha256: of.labelSha256, kind: 'missing_part' },
  ...{ classId: 0, suggestedClassId: 1, areaPx: 1, areaShare: 0.1, pWrong, pModel: pWrong },
  ...{ x0: 0, y0: 0, x1: 1, y1: 1, evidence: '{}', proposal: null },
});

describe('the suspect labels of an audit', () => {
  const [a, b, c] = [image('a', 0.2), image('b', 0.9), image('c', 0.9)];

  it('are the most probable first, each with its most probable finding and the number of others', () => {
    const found = suspectLabels([a, c, b], [finding(b, 'f1', 0.3), finding(b, 'f2', 0.8), finding(a, 'f3', 0.2)], 2);
    assert.deepEqual(
      found.map(({ image: { fileName }, finding: best, others }) => [fileName, best?.findingId ?? null, others]),
      [
        ['b', 'f2', 1],
        ['c', null, 0],
      ],
    );
  });

  it('are no images that were not judged, and no labels without a finding unless they are probably wrong', () => {
    const silent = { kinds: [] };
    const images = [
      image('d', 0.99, { error: 'torn', kinds: ['unreadable'] }),
      image('e', 0.4, silent),
      image('f', 0.6, silent),
    ];
    assert.deepEqual(
      suspectLabels(images, [], 50).map(({ image: { fileName } }) => fileName),
      ['f'],
    );
  });
});

describe('the share of wrong labels', () => {
  it('is the mean of the probabilities, with a range that certainty makes narrow', () => {
    const sure = wrongShare([image('a', 1), image('b', 0), image('c', 0), image('d', 0)]);
    assert.deepEqual(sure, { value: 0.25, low: 0.25, high: 0.25 });
    const open = wrongShare(Array.from({ length: 100 }, (_, at) => image(`${at}`, 0.5)));
    assert.ok(open !== null && Math.abs(open.low - 0.402) < 1e-3 && Math.abs(open.high - 0.598) < 1e-3);
  });

  it('is unknown if nothing was judged, and counts no image that was not', () => {
    const torn = image('a', 1, { error: 'torn', kinds: ['unreadable'] });
    assert.equal(wrongShare([torn]), null);
    assert.equal(wrongShare([torn, image('b', 0)])?.value, 0);
  });
});

describe('the names of an audit', () => {
  const digest = 'ab'.repeat(32);

  it('are names of partloop, whatever the file is called', () => {
    const files = ['train.json', 'Train Set (2).JSON', '', '.json', '…', '-'.repeat(300), 'a'.repeat(300), '<img>'];
    for (const file of files)
      for (const settings of [null, digest]) {
        const { pool, scan } = auditNames(file, { digest, minutes: 1_440, settings });
        for (const name of [pool, scan]) assert.ok(nameSchema.safeParse(name).success, name);
      }
    assert.equal(slugOf('Train Set (2).JSON'), 'train-set-2');
  });

  it('are others for other data, times and settings', () => {
    const of = (changed: Partial<Parameters<typeof auditNames>[1]>) =>
      auditNames('a.json', { digest, minutes: 15, settings: null, ...changed });
    assert.deepEqual(of({}), of({}));
    assert.notEqual(of({ digest: 'cd'.repeat(32) }).pool, of({}).pool);
    assert.equal(of({ minutes: 30 }).pool, of({}).pool);
    assert.equal(new Set([{}, { minutes: 30 }, { settings: digest }].map((one) => of(one).scan)).size, 3);
  });
});

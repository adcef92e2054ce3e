import assert from 'node:assert/strict';
import { exportScan } from '../../../domain/scan/export.js';
import { type FindingRow, findingRowSchema, scanImageRowSchema } from '../../../domain/tables.js';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import { findingKey } from '../../../pool/review/verdictFile.js';

const id = 'a'.repeat(64);
const image = scanImageRowSchema.parse({
  ...{
    imageId: id,
    fileName: 'a.jpg',
    labelSha256: id,
    labelQuality: 0.3,
    pMislabelled: 0.7,
    quarantined: false,
    regionsIgnored: false,
  },
  ...{ kinds: ['missing_part', 'hole'], findings: 2, auditChance: null, labelIou: 0.5, hardness: 0.5, classIou: '{}' },
  ...{ predictedClasses: [1], inferredTags: '{}', model: 'm', error: null },
});
const finding = (findingId: string, pWrong: number) =>
  findingRowSchema.parse({
    ...{ findingId, imageId: id, fileName: 'a.jpg', labelSha256: id, kind: 'missing_part' },
    ...{ classId: 0, suggestedClassId: 1, areaPx: 10, areaShare: 0.25, pWrong, pModel: pWrong },
    ...{ x0: 0.1, y0: 0.2, x1: 0.6, y1: 0.7, evidence: '{}', proposal: null },
  });

describe('an exported scan', () => {
  it('uses class names and pixels of the original picture, the most probable finding first', () => {
    const size = { width: 400, height: 200 };
    const { images, findings } = exportScan([image], [finding('x', 0.4), finding('y', 0.9)], dsmlr18, () => size);
    assert.deepEqual(images, [
      { image_id: id, file_name: 'a.jpg', label_quality: 0.3, p_mislabelled: 0.7, kinds: 'missing_part;hole' },
    ]);
    assert.deepEqual(
      findings.map(({ p_wrong }) => p_wrong),
      [0.9, 0.4],
    );
    const first = dsmlr18.classes[0]?.name;
    assert.deepEqual(findings[0], {
      image_id: id,
      file_name: 'a.jpg',
      kind: 'missing_part',
      class: 'background',
      suggested_class: first,
      area_px: 20_000,
      p_wrong: 0.9,
      bbox: '40 40 240 140',
    });
  });

  it('names the whole label, not the background, if a finding is about all of it', () => {
    const classes = (kinds: readonly FindingRow['kind'][], classId: number) =>
      exportScan(
        [],
        kinds.map((kind) => ({ ...finding(kind, 0.5), kind, classId })),
        dsmlr18,
        () => ({ width: 1, height: 1 }),
      ).findings.map((row) => row.class);
    const whole = ['mirrored', 'shifted', 'bad_outline', 'empty_label', 'duplicate_conflict', 'unreadable'] as const;
    assert.deepEqual([...new Set(classes(whole, 0))], ['whole label']);
    assert.deepEqual([...new Set(classes(['missing_part', 'hole', 'merged_or_split'], 0))], ['background']);
    assert.deepEqual(classes(['bad_outline'], 1), [dsmlr18.classes[0]?.name]);
  });

  it('takes answers under the same key, also if its table is older than the name of the whole label', () => {
    const row = { image_id: id, kind: 'mirrored', suggested_class: '', bbox: '0 0 1 1' };
    assert.equal(findingKey({ ...row, class: 'whole label' }), findingKey({ ...row, class: 'background' }));
    assert.notEqual(findingKey({ ...row, class: 'hood' }), findingKey({ ...row, class: 'background' }));
  });
});

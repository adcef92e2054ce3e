import assert from 'node:assert/strict';
import type { AuditReport } from '../../report/audit/data.js';
import { renderAudit } from '../../report/audit/page.js';

const HOSTILE = '<img src=x onerror="alert(1)">&\u202E';
const picture = {
  ...{ title: `missing part: ${HOSTILE}`, detail: '90 % likely to be wrong', fileName: `${HOSTILE}.png`, score: 0.9 },
  ...{ src: null, width: 320, height: 240 },
};
const report: AuditReport = {
  ...{ file: `${HOSTILE}.json`, madeAt: '2026-01-01T00:00', scan: 'audit-a-1-15m', pool: 'audit-a-1' },
  ...{ images: 10, judged: 8, refused: 2, withFindings: 1 },
  share: ['About 12 % of the labels are wrong (9.0 % to 15 %, if the scan’s probabilities are right).'],
  warnings: ['10 images are too few to estimate from'],
  method: ['2 networks judged.'],
  suspects: [picture],
  kinds: [{ kind: 'missing_part', findings: 1, images: 1 }],
  classes: [
    { category: HOSTILE, name: 'img_src_x', mirror: null },
    { category: '', name: 'unnamed', mirror: 'left_door' },
  ],
  commands: ['npx partloop scan export audit-a-1-15m --out found/'],
};

describe('the report of an audit', () => {
  it('is one page without a script and without anything to load', () => {
    const page = renderAudit(report);
    assert.match(page, /^<!doctype html>\n<html lang="en">/);
    assert.match(page, /default-src &#39;none&#39;|default-src 'none'/);
    assert.doesNotMatch(page, /<script|https?:\/\//);
  });

  it('shows names from a file as text, whatever is in them', () => {
    const page = renderAudit(report);
    assert.doesNotMatch(page, /<img/);
    assert.ok(page.includes('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;'));
  });

  it('says how many labels were judged, what is suspect, and how to go on', () => {
    const page = renderAudit(report);
    for (const words of ['labels judged', 'The most suspect labels', 'About 12 %', 'missing part', '(empty)'])
      assert.ok(page.includes(words), words);
    assert.ok(page.includes('npx partloop scan export audit-a-1-15m'));
  });

  it('says so if nothing is suspect', () => {
    assert.ok(renderAudit({ ...report, suspects: [], kinds: [] }).includes('No label is suspect.'));
  });
});

import assert from 'node:assert/strict';
import { nextSteps, tableSteps } from '../../cli/exportSteps.js';
import { REVIEW_FORMATS, type ReviewFormat } from '../../formats/manifest.js';

const report = (format: ReviewFormat, folders: string[]) => ({
  ...{ exportId: 'e', scan: 'cars:1', pool: 'cars', format, folders },
  ...{ images: 1, findings: 1, pixels: 1, lostPixels: 0, leftOut: [] },
});

describe('the next steps after an export', () => {
  for (const format of REVIEW_FORMATS)
    it(`name how to open it, the pictures, the manifest and the way back: ${format}`, () => {
      const text = nextSteps(report(format, ['/out']), null).join('\n');
      assert.match(text, /--image-root/);
      assert.match(text, /manifest\.json/);
      assert.match(text, /`partloop review import \/out(\/annotations\.json|\/tasks\.json)?`/);
      assert.match(nextSteps(report(format, ['/out']), '/photos').join('\n'), /link to \/photos/);
    });

  it('count in parts that each come back separately', () => {
    const text = nextSteps(report('masks', ['/out/part-001', '/out/part-002']), null).join('\n');
    assert.match(text, /`partloop review import \/out\/part-001`, once per folder/);
  });

  it('ask for a CSV table of answers, since Parquet is not read', () => {
    assert.match(tableSteps('cars:1', 'csv', '/f.csv').join('\n'), /`partloop review import \/f\.csv --scan cars:1`/);
    assert.match(tableSteps('cars:1', 'parquet', '/f.parquet').join('\n'), /--format csv/);
  });
});

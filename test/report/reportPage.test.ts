import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderReport } from '../../report/page.js';
import { needsBrowser, takePicture } from '../support/browser/browser.js';
import { reportData } from './reportData.js';

/** A window of a desk and of a phone, in pixels. */
const WIDTHS = [1440, 400, 1_200];

/** In the page: pairs of neighbours in rows of two or three of which one reaches into the other. */
const OVERLAPPING = `[...document.querySelectorAll('.two')].flatMap((row) => {
  const boxes = [...row.children].map((child) => ({ top: child.offsetTop, left: child.offsetLeft, right: child.offsetLeft + child.scrollWidth }));
  return boxes.flatMap((a) => boxes.filter((b) => a.top === b.top && a.left < b.left && a.right > b.left));
}).length`;

describe('a report in a browser', () => {
  const openPage = needsBrowser();
  let folder: string;
  let address: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'));
    const file = join(folder, 'report.html');
    await writeFile(file, renderReport(reportData()));
    address = pathToFileURL(file).href;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const width of WIDTHS) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`fits ${width} pixels in ${colorScheme} colours, without errors and other servers`, async () => {
        const { page, errors, servers } = await openPage({ width, colorScheme });
        await page.goto(address);
        const wide = await page.evaluate('document.documentElement.scrollWidth');
        assert.equal(wide, width, 'the page scrolls sideways');
        // Inside its section, a table may.
        await page.locator('section').first().waitFor();
        for (const section of await page.locator('section').all()) {
          const box = await section.boundingBox();
          assert.ok(box !== null && box.x >= 0 && box.x + box.width <= width);
        }
        assert.equal(await page.evaluate(OVERLAPPING), 0, 'tables beside each other overlap');
        await page.getByText('Figures by class').click();
        await takePicture(page, `report-${width}-${colorScheme}`);
        assert.deepEqual([errors, [...servers]], [[], []]);
      });
    }
  }
});

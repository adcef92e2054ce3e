import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Figure, writeFigure } from '../../bench/explain/figure.js';
import { stepTable } from '../../bench/explain/tables.js';

const SIDE = 32;
/** A block of a raster, columns 4 to 27 and the given rows. */
const block = (from: number, to: number, value: number): Uint8Array =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    return x >= 4 && x < 28 && y >= from && y < to ? value : 0;
  });

describe('the figure of a finding', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-figure-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Colour of the middle of rows 14 to 19 in the panel at this place. */
  async function middleOf(panel: number, confidence: number): Promise<readonly number[]> {
    const path = join(folder, `${panel}-${confidence}.png`);
    const picture = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#808080' } })
      .jpeg()
      .toBuffer();
    const figure: Figure = {
      picture,
      side: SIDE,
      given: block(4, 10, 1),
      prediction: { mask: block(12, 22, 2), confidence: new Uint8Array(SIDE * SIDE).fill(confidence) },
      proposal: block(12, 22, 1),
      suggested: 2,
      captions: [
        ['Picture', 'a < b'],
        ['Given label', ''],
        ['What the judge sees', ''],
        ['Proposed mask', ''],
      ],
    };
    await writeFigure(path, figure);
    const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const left = Math.round(((info.width - 10) / 4) * panel + 10 + SIDE);
    // Rows 0 to 31 are shown; each has two rows of the figure below its margin of 10.
    const at = ((10 + 2 * 17) * info.width + left) * 3;
    return [...data.subarray(at, at + 3)];
  }

  it('shows a missing part as bare ground in the label and in orange in the proposal', async () => {
    const [red, green, blue] = await middleOf(1, 255);
    assert.ok([red, green, blue].every((channel) => (channel ?? 0) > 245));
    const [proposedRed = 0, , proposedBlue = 0] = await middleOf(3, 255);
    assert.ok(proposedRed > 200 && proposedBlue < 60);
  });

  it('is paler where the judge is less sure', async () => {
    const [, , sure = 0] = await middleOf(2, 250);
    const [, , unsure = 0] = await middleOf(2, 100);
    assert.ok(sure + 50 < unsure, `${sure} and ${unsure}`);
  });
});

describe('the steps of an explanation', () => {
  it('end with the sum of what the lines before them add', () => {
    const terms = [{ name: 'confidence', value: 0.5, slope: 2, prior: 2 }];
    const table = stepTable({
      ...{ group: 'missing_part', terms, raise: 0, share: 0.5 },
      ...{ slices: [{ slice: 'angle=15', logOdds: -0.5 }], logOdds: 0.5 },
    });
    assert.deepEqual(
      [...table.matchAll(/([+−]\d\.\d\d) \|$/gm)].map(([, value]) => value),
      ['+1.00', '+0.00', '−0.50', '+0.50'],
    );
  });
});

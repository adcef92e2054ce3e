import sharp from 'sharp';
import { SHOWN_SIDE } from '../domain/board/protocol.js';
import type { FindingRow } from '../domain/tables.js';
import { readImage } from '../storage/pictures/imageSource.js';
import { openPicture } from '../storage/pictures/picture.js';
import type { ShownImage } from '../storage/pool/shownImages.js';
import type { ScanDesk } from './scanDesk.js';

const QUALITY = 85;
const THUMBNAIL = { width: 264, height: 198 } as const;
/** A thumbnail shows so much around a finding, in its own sizes. */
const AROUND = 0.6;
const LEAST_SHARE = 0.15;

/** The upright picture of an image, WebP, as large as the page shows it. */
export async function shownPicture(desk: ScanDesk, row: ShownImage): Promise<Buffer> {
  const { pixels } = await openPicture(await readImage(desk.store, row));
  return pixels
    .resize({ width: SHOWN_SIDE, height: SHOWN_SIDE, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: QUALITY, effort: 1 })
    .toBuffer();
}

/** The surroundings of a finding, WebP, with its frame. */
export async function thumbnail(
  desk: ScanDesk,
  row: ShownImage,
  finding: Pick<FindingRow, 'x0' | 'y0' | 'x1' | 'y1'>,
): Promise<Buffer> {
  const { pixels } = await openPicture(await readImage(desk.store, row));
  const { width, height } = row;
  const wide = Math.max((finding.x1 - finding.x0) * (1 + 2 * AROUND), LEAST_SHARE) * width;
  const high = Math.max((finding.y1 - finding.y0) * (1 + 2 * AROUND), LEAST_SHARE) * height;
  const aspect = THUMBNAIL.width / THUMBNAIL.height;
  const view = {
    width: Math.min(width, Math.ceil(Math.max(wide, high * aspect))),
    height: Math.min(height, Math.ceil(Math.max(high, wide / aspect))),
  };
  const left = placed(((finding.x0 + finding.x1) / 2) * width, view.width, width);
  const top = placed(((finding.y0 + finding.y1) / 2) * height, view.height, height);
  const scale = Math.min(THUMBNAIL.width / view.width, THUMBNAIL.height / view.height);
  const size = {
    width: Math.max(1, Math.round(view.width * scale)),
    height: Math.max(1, Math.round(view.height * scale)),
  };
  const cut = await pixels
    .extract({ left, top, ...view })
    .resize(size)
    .png()
    .toBuffer();
  const box = {
    x: (finding.x0 * width - left) * scale,
    y: (finding.y0 * height - top) * scale,
    width: (finding.x1 - finding.x0) * width * scale,
    height: (finding.y1 - finding.y0) * height * scale,
  };
  return sharp(cut)
    .composite([{ input: Buffer.from(frame(size, box)) }])
    .webp({ quality: QUALITY, effort: 1 })
    .toBuffer();
}

/** The start of a stretch around a middle that stays within the whole. */
const placed = (middle: number, length: number, whole: number): number =>
  Math.max(0, Math.min(whole - length, Math.round(middle - length / 2)));

/** A dashed frame in black and white, which shows on any picture. Numbers alone go into it. */
function frame(
  size: { width: number; height: number },
  box: { x: number; y: number; width: number; height: number },
): string {
  const rect = (colour: string, offset: number): string =>
    `<rect x="${box.x.toFixed(1)}" y="${box.y.toFixed(1)}" width="${box.width.toFixed(1)}" height="${box.height.toFixed(1)}" ` +
    `fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="6 6" stroke-dashoffset="${offset}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${rect('#000', 0)}${rect('#fff', 6)}</svg>`;
}

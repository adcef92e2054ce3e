import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { Prediction } from './look.js';

/** The four pictures of one finding. All rasters have `side` × `side` pixels. */
export interface Figure {
  /** A file of that size. */
  picture: Buffer;
  side: number;
  given: Uint8Array;
  prediction: Prediction;
  /** 1 inside the proposed mask. */
  proposal: Uint8Array;
  /** Label value that is proposed; null if none is. */
  suggested: number | null;
  /** Of picture, label, prediction and proposal. */
  captions: readonly [Caption, Caption, Caption, Caption];
}

type Caption = readonly [title: string, text: string];
type Size = { width: number; height: number };
type Colour = readonly [red: number, green: number, blue: number];

const SCALE = 2;
/** Rows of pixels above and below the car that are shown. */
const MARGIN = 10;
const GAP = 10;
const CAPTION = 48;
const COLOURS = 96;

// Blue and orange differ for every colour vision, and in lightness. The figure has its own white ground, since the page
// behind it may be dark.
const PAPER: Colour = [255, 255, 255];
const PART: Colour = [64, 110, 155];
const SUSPECT: Colour = [240, 150, 10];
const RIM: Colour = [0, 0, 0];
/** The parts around a proposal. */
const FAINT = 0.3;

/** Writes the rows of the figure that show the car, as a PNG of few colours. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  const { side, given, prediction, proposal, suggested } = figure;
  const [top, bottom] = rowsOfCar(figure);
  const panel = { width: side * SCALE, height: (bottom - top) * SCALE };
  const [width, height] = [4 * panel.width + 5 * GAP, panel.height + CAPTION + 2 * GAP];
  const left = (at: number): number => GAP + at * (panel.width + GAP);
  const isProposed = (pixel: number): boolean => proposal[pixel] === 1;
  const seen = (pixel: number): Colour =>
    partColour(prediction.mask[pixel] as number, suggested, (prediction.confidence[pixel] as number) / 255);
  const panels = [
    await sharp(figure.picture)
      .resize(side * SCALE, side * SCALE, { kernel: 'cubic' })
      .removeAlpha()
      .raw()
      .toBuffer(),
    painted(side, given, (pixel) => partColour(given[pixel] as number, suggested, 1), isProposed),
    painted(side, prediction.mask, seen),
    painted(
      side,
      given,
      (pixel) => (isProposed(pixel) ? SUSPECT : partColour(given[pixel] as number, null, FAINT)),
      isProposed,
    ),
  ].map((rgb) => rgb.subarray(top * SCALE * panel.width * 3, bottom * SCALE * panel.width * 3));
  const raw = { ...panel, channels: 3 as const };
  await writeFile(
    path,
    await sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
      .composite([
        ...panels.map((input, at) => ({ input, raw, left: left(at), top: GAP })),
        { input: Buffer.from(captionSvg(figure.captions, left, panel, { width, height })), left: 0, top: 0 },
      ])
      .png({ palette: true, colours: COLOURS, dither: 0.3, effort: 10 })
      .toBuffer(),
  );
}

/** First row, and the one after the last, of label and prediction, with a margin. */
function rowsOfCar({ side, given, prediction }: Figure): [top: number, bottom: number] {
  let [top, bottom] = [side, 0];
  for (let pixel = 0; pixel < given.length; pixel++) {
    if (given[pixel] === 0 && prediction.mask[pixel] === 0) continue;
    const row = Math.floor(pixel / side);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return [Math.max(0, top - MARGIN), Math.min(side, bottom + MARGIN)];
}

/** Colour of a label value; a paler one for less `strength`, 0..1. */
function partColour(value: number, suggested: number | null, strength: number): Colour {
  if (value === 0 || value === 255) return PAPER;
  const [red, green, blue] = value === suggested ? SUSPECT : PART;
  const mixed = (channel: number): number => Math.round(255 - strength * (255 - channel));
  return [mixed(red), mixed(green), mixed(blue)];
}

/** RGB pixels of an enlarged raster: white lines where `values` meet, black ones around what is `rimmed`. */
function painted(
  side: number,
  values: Uint8Array,
  colour: (pixel: number) => Colour,
  rimmed: (pixel: number) => boolean = () => false,
): Buffer {
  const panel = side * SCALE;
  const rgb = Buffer.alloc(panel * panel * 3);
  const pixelAt = (x: number, y: number): number =>
    Math.floor(Math.min(panel - 1, y) / SCALE) * side + Math.floor(Math.min(panel - 1, x) / SCALE);
  for (let y = 0; y < panel; y++) {
    for (let x = 0; x < panel; x++) {
      const here = pixelAt(x, y);
      const beside = [pixelAt(x + 1, y), pixelAt(x, y + 1)];
      const isRim = beside.some((pixel) => rimmed(pixel) !== rimmed(here));
      const isLine = beside.some((pixel) => values[pixel] !== values[here]);
      rgb.set(isRim ? RIM : isLine ? PAPER : colour(here), (y * panel + x) * 3);
    }
  }
  return rgb;
}

function captionSvg(
  captions: Figure['captions'],
  left: (at: number) => number,
  panel: Size,
  { width, height }: Size,
): string {
  const [title, text] = [GAP + panel.height + 20, GAP + panel.height + 39];
  const drawn = captions.map(
    ([head, body], at) =>
      `<rect x="${left(at) - 0.5}" y="${GAP - 0.5}" width="${panel.width + 1}" height="${panel.height + 1}" ` +
      `fill="none" stroke="#999"/><text x="${left(at)}" y="${title}" font-weight="bold">${escaped(head)}</text>` +
      `<text x="${left(at)}" y="${text}">${escaped(body)}</text>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="DejaVu Sans, sans-serif" font-size="14" fill="#111">${drawn.join('')}</svg>`
  );
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);

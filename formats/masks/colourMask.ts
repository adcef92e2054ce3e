import { PartloopError } from '../../domain/base/errors.js';
import { decodePng, type LabelMask, refuseTransparent, samplesOf } from '../../storage/pictures/labelMask.js';

/** 0xRRGGBB. */
const packed = (red: number, green: number, blue: number): number => (red << 16) | (green << 8) | blue;

export interface ColourTable {
  /** 0xRRGGBB -> label value. */
  values: ReadonlyMap<number, number>;
  /** Label values that a mask may have as numbers; null if only colours count. */
  known: ReadonlySet<number> | null;
}

export function colourTable(
  entries: readonly { value: number; colour: readonly [number, number, number] }[],
  known?: Iterable<number>,
): ColourTable {
  const values = new Map(entries.map(({ value, colour }) => [packed(...colour), value]));
  return { values, known: known === undefined ? null : new Set(known) };
}

/**
 * Label values of a mask in any form in which tools save it. Greyscale has them directly. A palette or true colours are
 * looked up in the table if it has every colour in use. Otherwise the palette's indices or the grey values count; if
 * both exist and disagree, the mask is refused. If the table says that only colours count, numbers are never used.
 *
 * @throws PartloopError `data-invalid` naming the unknown colours
 */
export function decodeColourMask(bytes: Uint8Array, origin: string, table: ColourTable): LabelMask {
  const png = decodePng(bytes, origin);
  const { width, height, channels, palette } = png;
  const samples = samplesOf(png, origin);
  refuseTransparent(samples, channels, origin);
  const { known } = table;
  const isGrey = palette === undefined && channels <= 2;
  if (isGrey && known !== null) {
    const pixels = channels === 1 ? samples : samples.filter((_, at) => at % 2 === 0);
    return { pixels: checked(pixels, known, origin), width, height };
  }
  const colours = new Int32Array(width * height);
  for (let pixel = 0; pixel < colours.length; pixel++) {
    const first = samples[pixel * channels] as number;
    const [red = 0, green = 0, blue = 0] =
      palette !== undefined
        ? (palette[first] ?? [])
        : isGrey
          ? [first, first, first]
          : samples.subarray(pixel * channels, pixel * channels + 3);
    colours[pixel] = packed(red, green, blue);
  }
  const used = [...new Set(colours)];
  const strange = used.filter((colour) => !table.values.has(colour));
  if (strange.length === 0) {
    const pixels = Uint8Array.from(colours, (colour) => table.values.get(colour) ?? 0);
    return { pixels, width, height };
  }
  const grey = used.every(
    (colour) => colour === packed(colour & 255, colour & 255, colour & 255) && known?.has(colour & 255) === true,
  );
  const greys = Uint8Array.from(colours, (colour) => colour & 255);
  if (palette === undefined && grey) return { pixels: greys, width, height };
  if (palette !== undefined && known !== null) {
    if (grey && greys.some((value, pixel) => value !== samples[pixel]))
      throw new PartloopError(
        'data-invalid',
        `${origin} has a palette with numbers and greys that mean different classes`,
        {
          hint: 'Save it as a greyscale PNG.',
        },
      );
    return { pixels: checked(samples, known, origin), width, height };
  }
  const listed = strange.slice(0, 5).map((colour) => `#${colour.toString(16).padStart(6, '0')}`);
  throw new PartloopError('data-invalid', `${origin} has colours of no class: ${listed.join(', ')}`, {
    hint: 'Switch smoothing and JPEG off in the tool, or export with its label map.',
  });
}

function checked(pixels: Uint8Array, known: ReadonlySet<number>, origin: string): Uint8Array {
  for (const value of new Set(pixels)) {
    if (!known.has(value))
      throw new PartloopError('data-invalid', `${origin} has value ${value}, which is not a class`);
  }
  return pixels;
}

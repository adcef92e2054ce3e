import { PartloopError } from '../../domain/errors.js';

/**
 * Paint a COCO run-length mask: runs of 0 and 1 in turn, column by column. `counts` is a list, or COCO's compressed text
 * (LEB128-like, 5 bits a character from code 48, runs from the third on as differences to the one two before).
 */
export function paintRle(
  raster: Uint8Array,
  width: number,
  height: number,
  counts: readonly number[] | string,
  value: number,
): void {
  const runs = runLengths(counts);
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (total !== width * height || runs.some((run) => run < 0)) {
    throw new PartloopError('data-invalid', `its run-length mask covers ${total} pixels, not ${width}×${height}`);
  }
  let at = 0;
  runs.forEach((run, index) => {
    if (index % 2 === 1) {
      for (let pixel = at; pixel < at + run; pixel++)
        raster[(pixel % height) * width + Math.floor(pixel / height)] = value;
    }
    at += run;
  });
}

/** The runs of a mask, whichever way they are written. */
export function runLengths(counts: readonly number[] | string): readonly number[] {
  return typeof counts === 'string' ? decompress(counts) : counts;
}

function decompress(text: string): number[] {
  const runs: number[] = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let shift = 0;
    let code = 0;
    do {
      code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30)
        throw new PartloopError('data-invalid', 'its compressed run-length mask is damaged');
      value |= (code & 31) << shift;
      shift += 5;
    } while ((code & 32) !== 0);
    if ((code & 16) !== 0 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] as number) : value);
  }
  return runs;
}

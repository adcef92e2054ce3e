import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Context } from 'hono';
import { PartloopError } from '../../domain/base/errors.js';
import type { Redrawn } from '../../domain/board/batch.js';
import { MAX_REDRAWN_PIXELS } from '../../domain/board/protocol.js';
import { putBoardLabel } from '../../storage/board.js';
import { encodeLabel, type LabelMask } from '../../storage/pictures/labelMask.js';
import type { ScanDesk } from '../scanDesk.js';

/** Largest body with a drawn label, compressed. */
export const MAX_COMPRESSED_LABEL = 64 * 2 ** 20;
const DAY = 'private, max-age=86400, immutable';
const compress = promisify(gzip);
const inflate = promisify(gunzip);

export function sendPicture(context: Context, picture: Buffer): Response {
  context.header('Content-Type', 'image/webp');
  context.header('Cache-Control', DAY);
  return context.body(new Uint8Array(picture));
}

/** Values of a label row by row, one byte each. */
export async function sendLabel(context: Context, pixels: Uint8Array): Promise<Response> {
  context.header('Content-Type', 'application/octet-stream');
  context.header('Content-Encoding', 'gzip');
  context.header('Cache-Control', 'no-store');
  context.header('X-Partloop-Digest', digestOf(pixels));
  return context.body(new Uint8Array(await compress(pixels, { level: 1 })));
}

/**
 * Keep the label that a request brings, and the one that it was drawn upon: `seen`, as it is now.
 *
 * @param keep stores one, and gives its digest
 */
export async function keepDrawn(
  context: Context,
  desk: ScanDesk,
  { width, height }: { width: number; height: number },
  seen: () => Promise<LabelMask>,
  keep = (png: Uint8Array): Promise<string> => putBoardLabel(desk.store, desk.pool.name, png),
): Promise<Redrawn> {
  const size = width * height;
  if (size > MAX_REDRAWN_PIXELS) throw new PartloopError('input-invalid', 'this label is too large to draw on here');
  const label = await seen();
  if (digestOf(label.pixels) !== context.req.header('x-partloop-seen'))
    throw new PartloopError('data-changed', 'the label changed while you drew on it', {
      hint: 'Open it again: the page keeps nothing of the drawing.',
    });
  const body = Buffer.from(await context.req.arrayBuffer());
  const drawn = await inflate(body, { maxOutputLength: size }).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', 'the drawn label cannot be read', { cause });
  });
  checkValues(drawn, size, desk.names.length);
  const put = async (pixels: Uint8Array): Promise<string> => keep(await encodeLabel(pixels, width, height));
  return { seen: await put(label.pixels), drawn: await put(drawn) };
}

export const digestOf = (pixels: Uint8Array): string => createHash('sha256').update(pixels).digest('hex');

/** @param classes number of label values with background */
function checkValues(pixels: Uint8Array, size: number, classes: number): void {
  if (pixels.length !== size)
    throw new PartloopError('input-invalid', `the drawn label has ${pixels.length} pixels, not ${size}`);
  for (const value of pixels)
    if (value >= classes && value !== 255)
      throw new PartloopError('input-invalid', `the drawn label has value ${value}, which is no class`);
}

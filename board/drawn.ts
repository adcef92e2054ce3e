import type { Redrawn } from '../domain/board/batch.js';
import type { Drawn } from '../pool/review/paint.js';
import { readBoardLabel } from '../storage/board.js';
import { decodeLabel } from '../storage/pictures/labelMask.js';
import type { ScanDesk } from './scanDesk.js';

/** The labels of a redrawing, as pixels. */
export async function readDrawn({ store, pool }: ScanDesk, { seen, drawn }: Redrawn): Promise<Drawn> {
  const pixels = async (sha256: string): Promise<Uint8Array> =>
    (await decodeLabel(await readBoardLabel(store, pool.name, sha256), `drawn label ${sha256}`)).pixels;
  return { seen: await pixels(seen), drawn: await pixels(drawn) };
}

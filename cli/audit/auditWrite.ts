import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type CorrectedFile, writeCorrectedFile } from '../../formats/coco/corrected/file.js';
import { acceptedCorrections } from '../../pool/review/acceptedCorrections.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import type { Pool } from '../../storage/pool/pool.js';
import { say } from '../terminal/output.js';

const LEFT_OUT_SHOWN = 5;

/** Write the annotation file with the corrections that were accepted so far, and say what is in it. */
export async function writeCorrected(
  store: ObjectStore,
  pool: Pool,
  { annotations, write, values }: { annotations: string; write: string; values: ReadonlyMap<string, number> },
): Promise<CorrectedFile & { file: string }> {
  const out = resolve(write);
  await mkdir(dirname(out), { recursive: true });
  const rows = new Map((await acceptedCorrections(store, pool)).map((row) => [row.fileName, row]));
  const written = await writeCorrectedFile({
    ...{ path: annotations, out, values, corrected: new Set(rows.keys()) },
    labelOf: async (fileName) => {
      const row = rows.get(fileName);
      if (row === undefined) throw new PartloopError('not-found', `${fileName} has no corrected label`);
      return decodeLabel(await readLabel(store, row), fileName);
    },
  });
  const { images, changed, dropped, added, leftOut } = written;
  say(
    images === 0
      ? `${out}: equal to ${annotations}, since no correction was accepted`
      : `${out}: ${counted(images, 'image', 'images')} corrected; annotations: ${changed} changed, ${dropped} removed, ${added} added`,
  );
  for (const { fileName, reason } of leftOut.slice(0, LEFT_OUT_SHOWN)) say(`  left as it was ${fileName}: ${reason}`);
  if (leftOut.length > LEFT_OUT_SHOWN) say(`  … and ${leftOut.length - LEFT_OUT_SHOWN} more; --json lists all`);
  return { file: out, ...written };
}

import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PartloopError } from '../../domain/errors.js';
import { tagsSchema } from '../../domain/tags.js';
import { decodeLabel } from '../../storage/labelMask.js';
import { localFolder, type ReadInside } from '../imageSources.js';
import type { ImportItem } from '../importItem.js';

const lineSchema = z.strictObject({
  image: z.string().min(1).max(1_024),
  label: z.string().min(1).max(1_024),
  tags: tagsSchema.prefault({}),
  vehicleId: z.string().max(256).nullable().default(null),
  source: z.enum(['in-house', 'client']).default('in-house'),
  split: z.enum(['train', 'val', 'test']).nullable().default(null),
});

/**
 * Items of a JSON Lines manifest: one image a line, with the paths of the picture and of its greyscale or palette index
 * mask, relative to the manifest, and what else is known of it. A picture named by an `s3://` URI stays where it is.
 *
 * @throws PartloopError `input-invalid` naming the line that is not as it should be
 */
export async function* readMaskManifest(manifest: string): AsyncGenerator<ImportItem> {
  await access(manifest).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--manifest ${manifest} cannot be read`, { cause });
  });
  const folder = await localFolder(dirname(manifest), '--manifest');
  let number = 0;
  for await (const text of createInterface({
    input: createReadStream(manifest),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number += 1;
    if (text.trim() === '') continue;
    yield toItem(folder, parseLine(text, `${manifest}:${number}`));
  }
}

function toItem(folder: ReadInside, line: z.output<typeof lineSchema>): ImportItem {
  const { image, label, tags, vehicleId, source, split } = line;
  return {
    fileName: image,
    image: image.startsWith('s3://')
      ? { kind: 'registered', uri: image }
      : { kind: 'bytes', read: () => folder(image) },
    label: async ({ width, height }) => {
      const mask = await decodeLabel(await folder(label), label);
      if (mask.width !== width || mask.height !== height) {
        throw new PartloopError(
          'data-invalid',
          `its label is ${mask.width}×${mask.height}, the upright picture ${width}×${height}`,
        );
      }
      return mask.pixels;
    },
    tags,
    vehicleId,
    source,
    split,
  };
}

function parseLine(text: string, place: string): z.output<typeof lineSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PartloopError('input-invalid', `${place} is not JSON`, { cause });
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) throw new PartloopError('input-invalid', `${place}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

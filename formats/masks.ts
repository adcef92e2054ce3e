import { createReadStream } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PartloopError } from '../domain/errors.js';
import { tagsSchema } from '../domain/tags.js';
import { decodeLabel } from '../storage/labelMask.js';
import type { ImportItem } from './importItem.js';

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
 * mask, relative to the manifest, and what else is known of it.
 */
export async function* readMaskManifest(manifest: string): AsyncGenerator<ImportItem> {
  const folder = await realpath(dirname(manifest));
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

function toItem(folder: string, line: z.output<typeof lineSchema>): ImportItem {
  const { image, label, tags, vehicleId, source, split } = line;
  return {
    fileName: image,
    image: { kind: 'bytes', read: async () => readInside(folder, image) },
    label: async ({ width, height }) => {
      const mask = await decodeLabel(await readInside(folder, label), label);
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

/** Read a file below `folder`; a manifest must not name files elsewhere. */
export async function readInside(folder: string, path: string): Promise<Buffer> {
  try {
    const real = await realpath(join(folder, path));
    if (relative(folder, real).split(sep)[0] === '..')
      throw new PartloopError('data-invalid', `${path} lies outside ${folder}`);
    return await readFile(real);
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    throw new PartloopError(
      'data-invalid',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

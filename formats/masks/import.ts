import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { PartloopError } from '../../domain/base/errors.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { BACKGROUND, IGNORE_INDEX } from '../../domain/taxonomy.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import { factsFrom } from '../facts.js';
import { type ListedFiles, listedFile, localFolder } from '../reading/imageSources.js';
import type { ImageFacts, ImportEntry, ImportItem, Origin } from '../reading/importItem.js';

const MAX_LINE = 100_000;
const lineSchema = z.looseObject({
  image: z.string().min(1).max(1_024),
  label: z.string().min(1).max(1_024),
  tags: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * index: 0 is background, 1 the first class, 255 ignored. zero-based: 0 is the first class, 255 background, as in label
 * files without a background class.
 */
export const MASK_VALUES = ['index', 'zero-based'] as const;
export type MaskValues = (typeof MASK_VALUES)[number];

/** A manifest by its path, or its lines under the name that messages use, with the files that it may name. */
export type ManifestSource =
  | string
  | { name: string; lines: AsyncIterable<string> | Iterable<string>; listed: ListedFiles };

export interface MaskOptions {
  manifest: ManifestSource;
  followLinks?: boolean;
  values?: MaskValues;
  /** Masks with a larger share of ignored pixels are refused: 255 often means background. */
  maxIgnored?: number;
}

/** With a larger share, ignored pixels are likely to be background. */
export const MAX_IGNORED = 0.5;

/**
 * A JSON Lines manifest: one image per line, with the paths of the picture and of its greyscale or palette index mask,
 * relative to the manifest, and further facts. A picture named by an `s3://` URI stays in its place. A bad line is
 * refused alone.
 *
 * @throws PartloopError `input-invalid` for a manifest that cannot be read
 */
export async function* readMaskManifest(options: MaskOptions): AsyncGenerator<ImportEntry> {
  const { manifest, followLinks = false } = options;
  const { lines, files } =
    typeof manifest === 'string'
      ? await localManifest(manifest, followLinks)
      : { lines: manifest.lines, files: (path: string): NamedFile => listedFile(manifest.listed, path) };
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
    if (text.trim() === '') continue;
    try {
      yield toItem(files, text, options);
    } catch (error) {
      if (!(error instanceof PartloopError)) throw error;
      yield { fileName: imageOf(text) ?? `line ${number}`, reason: `line ${number}: ${error.message}` };
    }
  }
}

/** A file that a line names. */
interface NamedFile {
  read(): Promise<Buffer>;
  origin?: Origin;
}

async function localManifest(path: string, followLinks: boolean) {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `--manifest ${path} cannot be read`, { cause });
  });
  if (!facts.isFile()) throw new PartloopError('input-invalid', `--manifest ${path} is not a file`);
  const folder = await localFolder(dirname(path), '--manifest', { followLinks });
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  return { lines, files: (name: string): NamedFile => ({ read: () => folder(name) }) };
}

/** Of a picture and its label together. */
const bothOf = (a: Origin, b: Origin): Origin => ({
  files: [...a.files, ...b.files],
  missing: [...a.missing, ...b.missing],
});

function toItem(
  files: (name: string) => NamedFile,
  text: string,
  { values = 'index', maxIgnored = MAX_IGNORED }: MaskOptions,
): ImportItem {
  const { image, label, tags, ...others } = parseLine(text);
  const facts = lineFacts(others, tags ?? {});
  const isElsewhere = image.startsWith('s3://');
  const picture = files(image);
  const labelFile = files(label);
  const both = picture.origin && labelFile.origin && bothOf(picture.origin, labelFile.origin);
  const origin = isElsewhere ? labelFile.origin : both;
  return {
    ...{ fileName: image, facts, ...(origin === undefined ? {} : { origin }) },
    image: isElsewhere ? { kind: 'registered', uris: [image] } : { kind: 'bytes', ...picture },
    label: async ({ width, height }, decode = decodeLabel) => {
      const mask = await decode(await labelFile.read(), label);
      if (mask.width !== width || mask.height !== height)
        throw new PartloopError(
          'data-invalid',
          `its label is ${mask.width}×${mask.height}, the upright picture ${width}×${height}`,
        );
      const pixels = values === 'index' ? mask.pixels : mask.pixels.map((value) => (value + 1) % 256);
      checkValues(pixels, maxIgnored);
      return { pixels, notes: [] };
    },
  };
}

/** Refuses masks whose values are no class numbers: 0 and 255 for outside and inside, or 255 for background. */
function checkValues(pixels: Uint8Array, maxIgnored: number): void {
  let ignored = 0;
  let labelled = 0;
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at];
    if (value === IGNORE_INDEX) ignored += 1;
    else if (value !== BACKGROUND) labelled += 1;
  }
  if (ignored === 0 || ignored === pixels.length) return;
  if (labelled === 0)
    throw new PartloopError(
      'data-invalid',
      'its label has only the values 0 and 255: outside and inside, not class numbers; classes begin at 1, 255 is ignored',
    );
  if (ignored / pixels.length > maxIgnored)
    throw new PartloopError(
      'data-invalid',
      `${Math.round((100 * ignored) / pixels.length)} % of its label is 255, which is ignored: if 255 is background and 0 the first class, give --mask-values zero-based; if that is intended, give --max-ignored 1`,
    );
}

function lineFacts(fields: Record<string, unknown>, tags: Record<string, unknown>): ImageFacts {
  const strangeTags = factsFrom(tags).unknown;
  if (strangeTags.length > 0)
    throw new PartloopError(
      'data-invalid',
      `there is no tag ${strangeTags.join(', ')}: tags are ${TAG_NAMES.join(', ')}`,
    );
  const { facts, unknown } = factsFrom({ ...fields, ...tags });
  if (unknown.length > 0)
    throw new PartloopError(
      'data-invalid',
      `there is no field ${unknown.join(', ')}: fields are image, label, tags, vehicleId, source, split`,
    );
  return facts;
}

function parseLine(text: string): z.output<typeof lineSchema> {
  if (text.length > MAX_LINE) throw new PartloopError('data-invalid', `it has ${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PartloopError('data-invalid', 'it is not JSON', { cause });
  }
  const { data, problem } = check(lineSchema, value);
  if (problem !== null) throw new PartloopError('data-invalid', problem);
  return data;
}

/** The picture that a bad line names, if it names one. */
const imageOf = (text: string): string | null => /"image"\s*:\s*"((?:[^"\\]|\\.){1,1024})"/.exec(text)?.[1] ?? null;

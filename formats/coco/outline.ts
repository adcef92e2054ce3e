import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { visitElements } from '../reading/jsonElements.js';
import { SizedFile } from '../reading/sizedFile.js';
import { categoryNames, cocoId } from './file.js';
import { MAX_COCO_BYTES } from './import.js';

const MAX_NAME = 1_024;
const MAX_CATEGORIES = 10_000;
const READ_AT_ONCE = 2 ** 20;

const categorySchema = z.looseObject({ id: cocoId, name: z.string() });
const sidesSchema = z.looseObject({ width: z.number().positive(), height: z.number().positive() });

/** What a COCO file holds, without its annotations. */
export interface CocoOutline {
  /** In the order of the file. */
  categories: { id: string; name: string }[];
  images: number;
  /** Longest side of the largest picture in pixels, as the file says; 0 if it says none. */
  longestSide: number;
  /** Digest of the file's bytes. */
  sha256: string;
}

/**
 * Categories and pictures of a COCO file, whose annotations are not looked at.
 *
 * @throws PartloopError `input-invalid` for what is no COCO file, and for categories that cannot be told apart
 */
export async function cocoOutline(path: string, signal?: AbortSignal): Promise<CocoOutline> {
  const file = await SizedFile.of(path, path, MAX_COCO_BYTES);
  const categories: unknown[] = [];
  let images = 0;
  let longestSide = 0;
  await visitElements(
    file,
    ['images', 'categories'],
    {
      restart(list) {
        if (list === 'categories') categories.length = 0;
        else images = longestSide = 0;
      },
      element({ list, value }) {
        if (list === 'categories') {
          categories.push(value);
          if (categories.length > MAX_CATEGORIES)
            throw new PartloopError('input-invalid', `${path} has more than ${MAX_CATEGORIES} categories`);
          return;
        }
        images += 1;
        const sides = sidesSchema.safeParse(value).data;
        if (sides !== undefined) longestSide = Math.max(longestSide, sides.width, sides.height);
      },
    },
    { signal },
  );
  if (images === 0 || categories.length === 0)
    throw new PartloopError(
      'input-invalid',
      `${path} is not a COCO annotation file: it lists no ${images === 0 ? 'images' : 'categories'}`,
      { hint: 'It needs `images`, `annotations` and `categories`, each a list of objects.' },
    );
  const named = categories.map((value, at) => categoryOf(value, at, path));
  categoryNames(named, path);
  return { categories: named, images, longestSide, sha256: await digestOfFile(file) };
}

function categoryOf(value: unknown, at: number, path: string): { id: string; name: string } {
  const { data } = categorySchema.safeParse(value);
  if (data === undefined)
    throw new PartloopError('input-invalid', `${path}: categories[${at}] lacks an \`id\` or a \`name\``);
  if (data.name.length > MAX_NAME)
    throw new PartloopError(
      'input-invalid',
      `${path}: the name of categories[${at}] has ${data.name.length} letters, more than ${MAX_NAME}`,
      { hint: 'Shorten it.' },
    );
  return { id: data.id, name: data.name };
}

async function digestOfFile(file: SizedFile): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of file.chunks(READ_AT_ONCE)) digest.update(chunk);
  return digest.digest('hex');
}

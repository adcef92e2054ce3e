import { z } from 'zod';
import { factsFrom } from '../facts.js';
import type { ImageFacts } from '../reading/importItem.js';

/** Fields of COCO itself, which have nothing to do with a picture's tags. */
const COCO_FIELDS = ['id', 'file_name', 'width', 'height', 'license', 'flickr_url', 'coco_url', 'date_captured'];

/**
 * What an entry of `images` says beside its name and size.
 *
 * @throws PartloopError `data-invalid` for a split that is none, or bad values in `tags`
 */
export function cocoFacts(image: Record<string, unknown>): ImageFacts {
  const extra = Object.fromEntries(Object.entries(image).filter(([name]) => !COCO_FIELDS.includes(name)));
  const { attributes, tags, ...own } = extra;
  const record = z.record(z.string(), z.unknown()).catch({});
  const saidIn = (fields: unknown): [string, unknown][] =>
    // An empty field does not hide others.
    Object.entries(record.parse(fields)).filter(([, value]) => value != null && value !== '');
  // Other tools' fields of these names may mean anything: an unknown value is ignored, but a split must be known.
  const others = [...saidIn(own), ...saidIn(attributes)].filter(
    ([name, value]) => name === 'split' || isUsable(name, value),
  );
  // If two set the same fact, the later counts: people write `tags` for partloop.
  return factsFrom(Object.fromEntries([...others, ...saidIn(tags)])).facts;
}

function isUsable(name: string, value: unknown): boolean {
  try {
    return factsFrom({ [name]: value }).unknown.length === 0;
  } catch {
    return false;
  }
}

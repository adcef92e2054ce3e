import { z } from 'zod';
import { counted } from './counted.js';
import { PartloopError } from './errors.js';
import type { FailureCode } from './failure.js';
import { sha256Schema } from './ids.js';
import type { IndexRow } from './tables.js';

/** gone: image or label is not there; changed: it is another one than was imported; unreadable: it cannot be used. */
export const LEFT_OUT_KINDS = ['gone', 'changed', 'unreadable'] as const;

/** An image that a step goes on without, and why. */
export const leftOutSchema = z.object({
  imageId: sha256Schema,
  fileName: z.string(),
  kind: z.enum(LEFT_OUT_KINDS),
  /** For people: names the object, and what is wrong with it. */
  reason: z.string(),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

/** `left-out.json` of a training. */
export const trainingLeftOutSchema = z.object({ train: z.array(leftOutSchema), val: z.array(leftOutSchema) });

/** `missing.json` of a draw; older ones do not say of which kind. */
export const missingSchema = z.object({
  missing: z.array(leftOutSchema.extend({ kind: leftOutSchema.shape.kind.optional() })),
});

/** The images that a draw did not find, with the kind of old ones by their reason. */
export function missingImages({ missing }: z.infer<typeof missingSchema>): LeftOut[] {
  return missing.map((image) => ({
    ...image,
    kind:
      image.kind ??
      (/has changed/.test(image.reason) ? 'changed' : /is empty/.test(image.reason) ? 'unreadable' : 'gone'),
  }));
}

/** Everything else, such as a store that does not answer, says nothing of the image. */
const KINDS: Partial<Record<FailureCode, LeftOut['kind']>> = {
  'not-found': 'gone',
  'data-changed': 'changed',
  'data-invalid': 'unreadable',
};
/** So many images may be left out of a small set too, where they are no more than a quarter of it. */
const FEW = 3;
const FEW_OF = 4;
const NAMED = 5;

/** The image as left out, where `error` says that it is bad itself; null for any other error. */
export function leftOutBy(row: Pick<IndexRow, 'imageId' | 'fileName'>, error: unknown): LeftOut | null {
  const kind = error instanceof PartloopError ? KINDS[error.code] : undefined;
  if (kind === undefined || !(error instanceof PartloopError)) return null;
  return { imageId: row.imageId, fileName: row.fileName, kind, reason: error.message };
}

/** How many of `images` may be left out: the share; at least 3, or a quarter of fewer than 12; none where the share is 0. */
export function allowedLeftOut(images: number, share: number): number {
  if (share === 0) return 0;
  return Math.max(Math.floor(share * images), Math.min(FEW, Math.floor(images / FEW_OF)));
}

/** `2 gone, 1 unreadable`; null where nothing is left out. */
export function kindsText(leftOut: readonly Pick<LeftOut, 'kind'>[]): string | null {
  const counts = LEFT_OUT_KINDS.map((kind) => [leftOut.filter((image) => image.kind === kind).length, kind] as const);
  return (
    counts
      .filter(([count]) => count > 0)
      .map(([count, kind]) => `${count} ${kind}`)
      .join(', ') || null
  );
}

/**
 * Refuse to go on without more images than the configuration allows.
 *
 * @throws PartloopError `data-invalid` with the count, the first images and what to do
 */
export function assertFewLeftOut(
  leftOut: readonly LeftOut[],
  { images, share, what, pool }: { images: number; share: number; what: string; pool: string },
): void {
  const allowed = allowedLeftOut(images, share);
  if (leftOut.length <= allowed) return;
  const named = leftOut.slice(0, NAMED).map(({ fileName, kind, reason }) => `${fileName} is ${kind}: ${reason}`);
  const more = leftOut.length > NAMED ? `; and ${leftOut.length - NAMED} more` : '';
  throw new PartloopError(
    'data-invalid',
    `${leftOut.length} of ${counted(images, `${what} image`, `${what} images`)} of pool \`${pool}\` cannot be used (${kindsText(leftOut)}), ` +
      `${allowed} may be left out (\`badImageShare\` ${share}): ${named.join('; ')}${more}`,
    {
      hint:
        `Put them back where they were, or list their names in a file and take them out with ` +
        `\`partloop pool remove ${pool} --images FILE\`; then replay the iteration with \`--from draw\`, or start the scan again. ` +
        'A larger `badImageShare` goes on without them.',
    },
  );
}

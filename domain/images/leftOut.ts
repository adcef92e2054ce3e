import { z } from 'zod';
import { counted } from '../base/counted.js';
import { PartloopError } from '../base/errors.js';
import type { FailureCode } from '../base/failures/failure.js';
import { sha256Schema } from '../base/ids.js';
import type { IndexRow } from '../tables.js';

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

/**
 * Whether an error is that of one image: it or its label is gone, changed or cannot be used. Whoever works on many
 * images names it and goes on; any other error would meet the next image too.
 */
export const isFaultOfImage = (error: unknown): error is PartloopError =>
  error instanceof PartloopError && KINDS[error.code] !== undefined;

/**
 * The image as left out, by an error that is a fault of it.
 *
 * @throws `error` itself where it is none
 */
export function leftOutBy(row: Pick<IndexRow, 'imageId' | 'fileName'>, error: unknown): LeftOut {
  if (!isFaultOfImage(error)) throw error;
  const kind = KINDS[error.code] ?? 'unreadable';
  return { imageId: row.imageId, fileName: row.fileName, kind, reason: error.message };
}

/**
 * How many of `images` may be left out: the share; at least 3, or a quarter of fewer than 12; none where the share is
 * 0.
 */
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

/** Of which images how many may be left out. */
export interface Allowance {
  images: number;
  /** `badImageShare`. */
  share: number;
  /** Which images, as a message calls them. */
  what: string;
  pool: string;
}

/**
 * Why a step does not go on without so many images: the count, the first ones, `list` with all of them, and what to do.
 */
export function tooManyLeftOut(
  leftOut: readonly LeftOut[],
  { images, share, what, pool }: Allowance,
  list: string,
): PartloopError {
  const named = leftOut.slice(0, NAMED).map(({ fileName, kind, reason }) => `${fileName} is ${kind}: ${reason}`);
  const more = leftOut.length > NAMED ? `; and ${leftOut.length - NAMED} more` : '';
  return new PartloopError(
    'data-invalid',
    `${leftOut.length} of ${counted(images, `${what} image`, `${what} images`)} of pool \`${pool}\` cannot be used (${kindsText(leftOut)}), ` +
      `${allowedLeftOut(images, share)} may be left out (\`badImageShare\` ${share}): ${named.join('; ')}${more}. ` +
      `All are listed in ${list}`,
    {
      hint:
        'Put them back where they were, or remove them with ' +
        `\`partloop pool remove ${pool} --images ${list}\`. Then run ` +
        '`partloop iteration replay LOOP N --from draw`; start a scan outside loops again. ' +
        'A larger `badImageShare` goes on without them.',
    },
  );
}

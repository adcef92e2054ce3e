import { z } from 'zod';
import { counted } from '../base/counted.js';
import { PartloopError } from '../base/errors.js';
import type { FailureCode } from '../base/failures/failure.js';
import { sha256Schema } from '../base/ids.js';
import type { IndexRow } from '../tables.js';

/** gone: image or label is missing; changed: it differs from the imported one; unreadable: it cannot be used. */
export const LEFT_OUT_KINDS = ['gone', 'changed', 'unreadable'] as const;

/** An image that a step leaves out, and the reason. */
export const leftOutSchema = z.object({
  imageId: sha256Schema,
  fileName: z.string(),
  kind: z.enum(LEFT_OUT_KINDS),
  /** For people: names the object and its fault. */
  reason: z.string(),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

/** `left-out.json` of a training. */
export const trainingLeftOutSchema = z.object({ train: z.array(leftOutSchema), val: z.array(leftOutSchema) });

/** `missing.json` of a draw; older ones do not record the kind. */
export const missingSchema = z.object({
  missing: z.array(leftOutSchema.extend({ kind: leftOutSchema.shape.kind.optional() })),
});

/** The images that a draw did not find; the kind of old entries is derived from their reason. */
export function missingImages({ missing }: z.infer<typeof missingSchema>): LeftOut[] {
  return missing.map((image) => ({
    ...image,
    kind:
      image.kind ??
      (/has changed/.test(image.reason) ? 'changed' : /is empty/.test(image.reason) ? 'unreadable' : 'gone'),
  }));
}

/** All other errors, such as a store that does not answer, tell nothing about the image. */
const KINDS: Partial<Record<FailureCode, LeftOut['kind']>> = {
  'not-found': 'gone',
  'data-changed': 'changed',
  'data-invalid': 'unreadable',
};
/** This many images may be left out of a small set too, if they are at most a quarter of it. */
const FEW = 3;
const FEW_OF = 4;
const NAMED = 5;

/**
 * Whether an error concerns one image: it or its label is gone, changed or cannot be used. Work on many images names it
 * and continues; any other error would meet the next image too.
 */
export const isFaultOfImage = (error: unknown): error is PartloopError =>
  error instanceof PartloopError && KINDS[error.code] !== undefined;

/**
 * The image as left out, for an error that is the image's own fault.
 *
 * @throws `error` itself if it is not
 */
export function leftOutBy(row: Pick<IndexRow, 'imageId' | 'fileName'>, error: unknown): LeftOut {
  if (!isFaultOfImage(error)) throw error;
  const kind = KINDS[error.code] ?? 'unreadable';
  return { imageId: row.imageId, fileName: row.fileName, kind, reason: error.message };
}

/**
 * How many of `images` may be left out: the share, but at least 3, or a quarter of fewer than 12; none if the share is
 * 0.
 */
export function allowedLeftOut(images: number, share: number): number {
  if (share === 0) return 0;
  return Math.max(Math.floor(share * images), Math.min(FEW, Math.floor(images / FEW_OF)));
}

/** `2 gone, 1 unreadable`; null if nothing is left out. */
export function kindsText(leftOut: readonly Pick<LeftOut, 'kind'>[]): string | null {
  const counts = LEFT_OUT_KINDS.map((kind) => [leftOut.filter((image) => image.kind === kind).length, kind] as const);
  return (
    counts
      .filter(([count]) => count > 0)
      .map(([count, kind]) => `${count} ${kind}`)
      .join(', ') || null
  );
}

/** The limit of images that may be left out of a set. */
export interface Allowance {
  images: number;
  /** `badImageShare`. */
  share: number;
  /** The set's name in messages. */
  what: string;
  pool: string;
}

/**
 * The error of a step that would leave out too many images: the count, the first ones, `list` with all of them, and a
 * hint.
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

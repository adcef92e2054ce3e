import { z } from 'zod';
import { check } from './base/checked.js';
import { PartloopError } from './base/errors.js';

/** Label value of background, and of pixels that never count (also the padding of a letterboxed label). */
export const BACKGROUND = 0;
export const IGNORE_INDEX = 255;

export const classNameSchema = z.string().regex(/^[a-z0-9][a-z0-9_]{0,63}$/);

export const taxonomyClassSchema = z.object({
  name: classNameSchema.describe('Unique name, lower case with underscores'),
  group: z.enum(['major', 'minor']).describe('Minor parts are small; they are weighted up and reported separately'),
  mirror: classNameSchema
    .nullable()
    .default(null)
    .describe('The class this one becomes in a mirrored picture; null when it is its own mirror image'),
  adjacent: z.array(classNameSchema).default([]).describe('Classes that touch this one on a car'),
  angles: z
    .tuple([z.number().min(0).max(180), z.number().min(0).max(180)])
    .nullable()
    .default(null)
    .describe('Lowest and highest angle in degrees from which the part can be seen; null when unknown'),
  side: z
    .enum(['left', 'right'])
    .nullable()
    .default(null)
    .describe('The side of the car the part sits on; null when on neither or both'),
  maxInstances: z.number().int().min(1).max(64).default(1).describe('Largest number of this part that one car shows'),
  areaShare: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .nullable()
    .default(null)
    .describe('Usual share of the picture, lowest and highest; null when unknown'),
});
export type TaxonomyClass = z.infer<typeof taxonomyClassSchema>;

/** Classes in label order: class `i` of `classes` has label value `i + 1`; 0 is background, 255 is ignored. */
export const taxonomySchema = z
  .object({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
    description: z.string().max(2_000).default(''),
    classes: z.array(taxonomyClassSchema).min(1).max(254),
    identity: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('Digest under which its models are known; written if the rules of its classes changed later'),
  })
  .superRefine((taxonomy, context) => {
    const byName = new Map(taxonomy.classes.map((entry) => [entry.name, entry]));
    if (byName.size !== taxonomy.classes.length || byName.has('background')) {
      context.addIssue({
        code: 'custom',
        path: ['classes'],
        message: 'class names must be unique and none may be `background`',
      });
    }
    for (const [index, entry] of taxonomy.classes.entries()) {
      if (entry.mirror !== null && byName.get(entry.mirror)?.mirror !== entry.name) {
        context.addIssue({
          code: 'custom',
          path: ['classes', index, 'mirror'],
          message: `\`${entry.name}\` mirrors \`${entry.mirror}\`, which does not mirror it back`,
        });
      }
      for (const neighbour of entry.adjacent) {
        if (!byName.has(neighbour)) {
          context.addIssue({
            code: 'custom',
            path: ['classes', index, 'adjacent'],
            message: `\`${neighbour}\` is not a class of this taxonomy`,
          });
        }
      }
    }
  });
export type Taxonomy = z.infer<typeof taxonomySchema>;

/** Largest number of problems of a taxonomy that one error lists. */
const SHOWN = 20;

/** Parse a taxonomy from outside; one error lists its problems. */
export function parseTaxonomy(value: unknown, origin: string): Taxonomy {
  const { data, problem } = check(taxonomySchema, value, SHOWN);
  if (problem === null) return data;
  throw new PartloopError('config-invalid', `taxonomy ${origin} is not valid: ${problem}`, {
    hint: 'docs/import.md describes taxonomies; `partloop pool taxonomy dsmlr-18` prints a built-in one to start from.',
  });
}

/** Classes named after a side of the car that have no mirror class: a flipped picture would swap left and right. */
export function unmirroredSides(taxonomy: Taxonomy): string[] {
  return taxonomy.classes
    .filter(({ name, side, mirror }) => mirror === null && (side !== null || /(^|_)(left|right)(_|$)/.test(name)))
    .map(({ name }) => name);
}

/** Names by label value: index 0 is `background`. */
export function labelNames(taxonomy: Taxonomy): string[] {
  return ['background', ...taxonomy.classes.map((entry) => entry.name)];
}

/**
 * `adjacencyTable(t)[a][b]` is 1 if label values a and b touch on a car, as either class declares. Rows of length 256.
 */
export function adjacencyTable(taxonomy: Taxonomy): Uint8Array[] {
  const names = labelNames(taxonomy);
  const table = names.map(() => new Uint8Array(256));
  taxonomy.classes.forEach((entry, index) => {
    for (const neighbour of entry.adjacent) {
      const other = names.indexOf(neighbour);
      (table[index + 1] as Uint8Array)[other] = 1;
      (table[other] as Uint8Array)[index + 1] = 1;
    }
  });
  return table;
}

/** `mirrorTable(t)[label]` is the label value in the mirrored picture; 0 and 255 stay themselves. Length 256. */
export function mirrorTable(taxonomy: Taxonomy): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, value) => value);
  const names = labelNames(taxonomy);
  taxonomy.classes.forEach((entry, index) => {
    if (entry.mirror !== null) table[index + 1] = names.indexOf(entry.mirror);
  });
  return table;
}

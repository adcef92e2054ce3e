import { z } from 'zod';

export const ANGLES = [0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180] as const;
export const VEHICLES = ['sedan', 'hatchback', 'suv', 'jeep', 'truck', 'van'] as const;
export const DAMAGES = ['none', '0', '1', '2'] as const;
export const ORIENTATIONS = ['left', 'right', 'none'] as const;
export const REGIONS = ['exterior', 'interior'] as const;

/**
 * The known facts about a picture beside its label. `angle` is in degrees, 0 = seen from the front, 90 = from the side,
 * 180 = from behind; `orientation` is the visible side of the car, the driver's left or right. Every tag may be unknown
 * (null): a pool without tags must work.
 */
export const tagsSchema = z.object({
  angle: z.literal(ANGLES).nullable().default(null),
  vehicle: z.enum(VEHICLES).nullable().default(null),
  damage: z.enum(DAMAGES).nullable().default(null),
  black: z.boolean().nullable().default(null),
  reflection: z.boolean().nullable().default(null),
  zoomed: z.boolean().nullable().default(null),
  orientation: z.enum(ORIENTATIONS).nullable().default(null),
  region: z.enum(REGIONS).nullable().default(null),
});
/** Some tags with values, none of them unknown: what somebody asks for. */
export const wantedTagsSchema = z.strictObject({
  angle: z.literal(ANGLES).optional(),
  vehicle: z.enum(VEHICLES).optional(),
  damage: z.enum(DAMAGES).optional(),
  black: z.boolean().optional(),
  reflection: z.boolean().optional(),
  zoomed: z.boolean().optional(),
  orientation: z.enum(ORIENTATIONS).optional(),
});
export type Tags = z.infer<typeof tagsSchema>;
export type TagName = keyof Tags;
export const TAG_NAMES = [
  'angle',
  'vehicle',
  'damage',
  'black',
  'reflection',
  'zoomed',
  'orientation',
  'region',
] as const satisfies readonly TagName[];
/** Order of the values of one tag: numbers by size, the others by their text. */
export function compareTagValues(a: Tags[TagName], b: Tags[TagName]): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1;
}

export const NO_TAGS: Tags = tagsSchema.parse({});

import { z } from 'zod';

/**
 * What chooses the images. `random` draws from all, `distinct` from at most two of each group of near duplicates;
 * `need` and `cover` are policies of the product; `everything` takes the whole pool; the rest are peers from the
 * literature.
 */
export const CHOICES = [
  'random',
  'distinct',
  'need',
  'cover',
  'balanced',
  'entropy',
  'shape',
  'typical',
  'everything',
] as const;
export type Choice = (typeof CHOICES)[number];

/** `off`: wrong labels stay; `on`: what the scan sets aside is out; `perfect`: exactly the wrong labels are out. */
export const FILTERS = ['off', 'on', 'perfect'] as const;
export type Filter = (typeof FILTERS)[number];

/** One way to make a training set. */
export interface Arm {
  choice: Choice;
  filter: Filter;
}

const armSchema = z.templateLiteral([z.enum(CHOICES), '/', z.enum(FILTERS)]);

export const nameOf = ({ choice, filter }: Arm): string => `${choice}/${filter}`;

/** The arm that a name such as `cover/on` stands for; null if there is none. */
export function armOf(name: string): Arm | null {
  const parsed = armSchema.safeParse(name);
  if (!parsed.success) return null;
  const [choice, filter] = parsed.data.split('/') as [Choice, Filter];
  return { choice, filter };
}

/** Every gain is a difference to this one. */
export const BASELINE: Arm = { choice: 'random', filter: 'off' };

import { z } from 'zod';

const from = (low: number, high: number) => z.number().min(low).max(high);

/** An interval [low, high] that a search draws from; null leaves the setting as it is. */
const interval = (low: number, high: number, fallback: [number, number], description: string) =>
  z
    .tuple([from(low, high), from(low, high)])
    .refine(([first, last]) => first < last, 'the first number must be below the second')
    .nullable()
    .default(fallback)
    .describe(description);

const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number][],
  description: string,
) => z.array(z.enum(values)).min(1).max(values.length).nullable().default(fallback).describe(description);

/** The settings that a search may change, with their bounds. The names are those of `train` and `train.augment`. */
export const tuneSpaceSchema = z
  .strictObject({
    lrHead: interval(1e-7, 1, [5e-4, 6e-3], 'Peak learning rate of the decode head, even in its logarithm'),
    lrBackbone: interval(1e-7, 1, [1e-4, 2e-3], 'Peak learning rate of the backbone, even in its logarithm'),
    classWeightExponent: interval(0, 1, [0, 0.7], 'Exponent of the class weights'),
    imageWeightExponent: interval(0, 1, [0, 0.3], 'Exponent of the sampling weights'),
    angle: interval(0, 45, [0, 20], 'Largest rotation in degrees'),
    crop: interval(0, 0.9, [0, 0.4], 'Largest share of a side that a random crop takes away'),
    optimizer: choice(['adamw', 'adam'], ['adamw'], 'Optimizers to choose from'),
    loss: choice(['ce', 'focal', 'dice', 'ce+dice'], ['ce', 'ce+dice'], 'Losses to choose from'),
    cycleMode: choice(
      ['triangular', 'triangular2', 'exp_range'],
      ['triangular', 'triangular2'],
      'Shapes of the learning rate cycles to choose from',
    ),
  })
  .refine((space) => Object.values(space).some((range) => range !== null), 'at least one setting must be searched')
  .refine(
    ({ classWeightExponent, imageWeightExponent }) =>
      (classWeightExponent?.[1] ?? 0) + (imageWeightExponent?.[1] ?? 0) <= 1 + 1e-9,
    {
      path: ['imageWeightExponent'],
      message:
        'the upper bounds of both exponents add up to 1 at most: above that, rare classes are favoured twice over',
    },
  );
export type TuneSpace = z.infer<typeof tuneSpaceSchema>;

/** Settings of a trial that differ from the loop's. */
export const tunedSettingsSchema = z.strictObject({
  lrHead: z.number().positive().max(1).optional(),
  lrBackbone: z.number().positive().max(1).optional(),
  classWeightExponent: from(0, 1).optional(),
  imageWeightExponent: from(0, 1).optional(),
  angle: from(0, 45).optional(),
  crop: from(0, 0.9).optional(),
  optimizer: z.enum(['adamw', 'adam']).optional(),
  loss: z.enum(['ce', 'focal', 'dice', 'ce+dice']).optional(),
  cycleMode: z.enum(['triangular', 'triangular2', 'exp_range']).optional(),
});
export type TunedSettings = z.infer<typeof tunedSettingsSchema>;

/** Rates differ by factors, not by steps. */
const LOGARITHMIC: ReadonlySet<string> = new Set(['lrHead', 'lrBackbone']);

/** A dimension as `trainer/partloop_trainer/propose.py` reads it. */
export type Dimension = { low: number; high: number; log: boolean } | { choices: string[] };

/** The searched settings as dimensions, by name. */
export function dimensionsOf(space: TuneSpace): Record<string, Dimension> {
  return Object.fromEntries(
    Object.entries(space).flatMap(([name, range]): [string, Dimension][] => {
      if (range === null) return [];
      const [low, high] = range;
      return typeof low === 'number' && typeof high === 'number'
        ? [[name, { low, high, log: LOGARITHMIC.has(name) }]]
        : [[name, { choices: range.map(String) }]];
    }),
  );
}

/** A training configuration with a trial's settings, shaped as the input of `trainConfigSchema`. */
export function withTunedSettings<T extends { augment: object }>(train: T, settings: TunedSettings) {
  const { angle, crop, ...own } = settings;
  const augment = {
    ...train.augment,
    ...(angle === undefined ? {} : { angle }),
    ...(crop === undefined ? {} : { crop }),
  };
  return { ...train, ...own, augment };
}

/** The present values of the searched settings, for the table of trials beside the proposals. */
export function settingsOf(
  train: { augment: { angle: number; crop: number } } & Record<string, unknown>,
  space: TuneSpace,
): TunedSettings {
  const flat: Record<string, unknown> = { ...train, ...train.augment };
  const names = Object.keys(dimensionsOf(space));
  const found = tunedSettingsSchema.safeParse(Object.fromEntries(names.map((name) => [name, flat[name]])));
  return found.success ? found.data : {};
}

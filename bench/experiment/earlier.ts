import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { type Arm, nameOf } from './arms.js';
import { scoresSchema } from './evaluate.js';
import type { TrainedArm } from './tables.js';

/** What must be equal for figures of two runs to stand in one table. */
export const settingsSchema = z.object({
  pool: z.string(),
  images: z.number(),
  tests: z.number(),
  wrong: z.number(),
  share: z.number(),
  size: z.number(),
  iterations: z.number(),
  rounds: z.number(),
});
const SETTINGS = settingsSchema.keyof().options;
export type ExperimentSettings = z.infer<typeof settingsSchema>;

const trainedSchema = scoresSchema.extend({
  arm: z.string(),
  seed: z.number(),
  images: z.number(),
  wrong: z.number(),
});

/** The file of figures that an experiment writes. */
export const resultsSchema = z.object({ settings: settingsSchema, trained: z.array(trainedSchema) });

/**
 * The figures of earlier runs, perhaps of other machines.
 *
 * @throws PartloopError `input-invalid` for a file that is no such one, or that has other settings
 */
export async function earlierFigures(paths: readonly string[], settings: ExperimentSettings): Promise<TrainedArm[]> {
  const found: TrainedArm[] = [];
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => {
      throw new PartloopError('not-found', `there is no readable file ${path}`);
    });
    const parsed = resultsSchema.safeParse(parseText(text, path));
    if (!parsed.success)
      throw new PartloopError('input-invalid', `${path} has no figures of an experiment`, { cause: parsed.error });
    const other = SETTINGS.find((name) => parsed.data.settings[name] !== settings[name]);
    if (other !== undefined)
      throw new PartloopError(
        'input-invalid',
        `${path} has figures with ${other} ${parsed.data.settings[other]} instead of ${settings[other]}`,
      );
    found.push(...parsed.data.trained);
  }
  return found;
}

/** The figures of an arm at one seed, with those after each round of a loop; none if its last network is missing. */
export function figuresOf(earlier: readonly TrainedArm[], arm: Arm, seed: number): TrainedArm[] {
  const name = nameOf(arm);
  const own = earlier.filter((one) => one.seed === seed && (one.arm === name || one.arm.startsWith(`${name} round `)));
  const unique = [...new Map(own.map((one) => [one.arm, one])).values()];
  return unique.some((one) => one.arm === name) ? unique : [];
}

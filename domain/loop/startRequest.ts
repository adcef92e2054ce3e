import { z } from 'zod';
import { PartloopError } from '../base/errors.js';
import { nameSchema } from '../base/ids.js';
import { type LoopConfig, loopConfigSchema, trainerPresetSchema } from '../config.js';
import { poolDefaultsProblem, wholeConfig } from '../settings/loopConfig.js';
import { layerRecordSchema, mergeSettings, settingsSchema } from '../settings/settings.js';

/** Largest number of iterations in one request. */
export const iterationsSchema = z.number().int().min(1).max(10_000);
const loopFields = loopConfigSchema.shape;
const trainFields = loopFields.train.unwrap().shape;
const sampleFields = loopFields.sample.unwrap().shape;

/**
 * The input of `startLoop`: every field is optional. Missing values come from `settings`, then from the pool's
 * `defaults.json`, then from the defaults of the configuration.
 */
export const startLoopRequestSchema = z.strictObject({
  pool: nameSchema.optional().describe('The pool to draw from; may be omitted if there is only one'),
  loop: nameSchema.optional().describe("Name of the loop; the pool's name if omitted"),
  iterations: iterationsSchema.default(1).describe('How many iterations to run'),
  chunkSize: loopFields.chunkSize.unwrap().optional().describe('New images per iteration'),
  sampleShare: sampleFields.share
    .unwrap()
    .optional()
    .describe('Share of the chunk that is picked, unless `sample.count` is given'),
  imageSize: trainFields.imageSize.unwrap().optional().describe('Longest side in pixels that the network sees'),
  trainIterations: trainFields.iterations.unwrap().optional().describe('Training iterations'),
  batchSize: trainFields.batchSize.unwrap().optional().describe('Images per training iteration'),
  preset: trainerPresetSchema.optional().describe('Backbone'),
  seed: loopFields.seed.unwrap().optional().describe('Seed of every random choice'),
  settings: settingsSchema.optional().describe('Any other setting, shaped as in docs/config.md'),
});
export type StartLoopRequest = z.infer<typeof startLoopRequestSchema>;

/** The fields of a request that abbreviate a setting, and that setting. */
export const SETTING_OF_FIELD = {
  chunkSize: 'chunkSize',
  sampleShare: 'sample.share',
  imageSize: 'train.imageSize',
  trainIterations: 'train.iterations',
  batchSize: 'train.batchSize',
  preset: 'train.preset',
  seed: 'seed',
} as const satisfies Partial<Record<keyof StartLoopRequest, string>>;

/**
 * The configuration of a loop from a request, the settings that a search found, the pool's defaults and our own, in
 * this order. Each layer is checked by itself before it is merged: an invalid value must not hide the layer below.
 *
 * @throws PartloopError `input-invalid` for the request, `config-invalid` naming the pool's `defaults.json`
 */
export function resolveConfig(
  request: StartLoopRequest,
  pool: string,
  defaults: unknown,
  adopted: unknown = {},
): LoopConfig {
  const faulty = poolDefaultsProblem(pool, defaults);
  if (faulty !== null) {
    throw new PartloopError('config-invalid', faulty, {
      hint: "Correct that object in the store, or delete it: then partloop's own defaults hold.",
    });
  }
  if (request.settings?.pool !== undefined && request.settings.pool !== pool) {
    throw new PartloopError('input-invalid', 'field `settings.pool`: the pool is not a setting', {
      hint: 'Give it as the field `pool`, or with `--pool`.',
    });
  }
  return wholeConfig(
    [{ pool }, adopted, givenSettings(request)].reduce(mergeSettings, defaults),
    "the loop (request, settings and the pool's defaults together)",
    `Settings that you did not give come from the pool's defaults: \`partloop pool stats ${pool} --json\` shows them.`,
  );
}

/** The settings of a request itself, including its short fields. */
export function givenSettings(request: StartLoopRequest): Record<string, unknown> {
  const short = Object.entries(SETTING_OF_FIELD).reduce<unknown>(
    (settings, [field, path]) => mergeSettings(settings, nested(path, fieldOf(request, field))),
    {},
  );
  return layerRecordSchema.parse(mergeSettings(request.settings ?? {}, short));
}

/** `a.b` and a value -> `{ a: { b: value } }`; nothing for a value that was not given. */
function nested(path: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

const fieldOf = (request: object, field: string): unknown => Object.getOwnPropertyDescriptor(request, field)?.value;

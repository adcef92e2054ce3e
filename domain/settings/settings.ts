import { z } from 'zod';
import { type Problem, problemsOf } from '../base/failures/problems.js';
import { isRecord } from '../base/isRecord.js';
import { own } from '../base/own.js';
import { knownPart } from '../base/recorded.js';
import { bare, schemaAt } from '../base/schemaFields.js';
import { loopConfigSchema } from '../config.js';

/** One layer of settings: some of a loop's configuration, or all of it. */
const layerSchema = layerOf(loopConfigSchema);

/** A layer of settings as a record; its fields are checked when it is merged. */
export const layerRecordSchema = z.record(z.string(), z.unknown());

/** The same schema with optional fields and without defaults, so that a layer can be checked by itself. */
function layerOf(schema: z.ZodType): z.ZodType {
  const inner = bare(schema);
  if (!(inner instanceof z.ZodObject)) return inner;
  const fields = Object.entries(inner.shape).flatMap(([name, field]) =>
    field instanceof z.ZodType ? [[name, layerOf(field).optional()] as const] : [],
  );
  return z.strictObject(Object.fromEntries(fields));
}

/** The problems of one layer of settings, before it is merged with any other. */
export const settingsProblems = (layer: unknown): Problem[] => problemsOf(layerSchema, layer);

/** Settings of a recorded layer, without those that this version does not have. */
export const knownSettings = (layer: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  layerRecordSchema.parse(knownPart(layerSchema, layer));

/** The schema of a setting, `train.iterations`; null if there is none at this path. */
export const settingAt = (path: readonly string[]): z.ZodType | null => schemaAt(layerSchema, path);

/** The field `settings` of a request: one layer. */
export const settingsSchema = z.record(z.string(), z.unknown()).superRefine((layer, context) => {
  for (const { path, text } of settingsProblems(layer)) context.addIssue({ code: 'custom', path, message: text });
});

/** `over` merged over `base`, objects field by field. */
export function mergeSettings(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isRecord(base) || !isRecord(over)) return over;
  // By entries, not by assignment: a field named __proto__ stays a field, which the schema refuses.
  return Object.fromEntries([
    ...Object.entries(base),
    ...Object.entries(over).map(([field, value]) => [field, mergeSettings(own(base, field), value)]),
  ]);
}

import { z } from 'zod';
import { PartloopError } from './base/errors.js';
import { own } from './base/own.js';
import { labelNames, type Taxonomy } from './taxonomy.js';

const triple = z.array(z.number()).length(3);
const tensorName = z.string().min(1).max(200);

/**
 * `model.json` of a model that partloop did not train: an ONNX file with one image in and one number per class and
 * pixel out. Pictures come with their longest side at `size`, at the top left of a square canvas.
 */
export const userModelSchema = z.strictObject({
  input: tensorName.optional().describe('Name of the input; the only one if omitted'),
  output: tensorName.optional().describe('Name of the output with logits [N, classes, h, w]; the only one if omitted'),
  outputs: z
    .enum(['logits', 'probabilities'])
    .default('logits')
    .describe('Content of the output: logits (or their log-softmax), or their softmax'),
  outputLayout: z.enum(['NCHW', 'NHWC']).default('NCHW').describe('Order of the axes of the output'),
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW').describe('Order of the axes of the input'),
  channels: z.enum(['RGB', 'BGR']).default('RGB').describe('Order of the colours'),
  size: z.number().int().min(32).max(2_048).describe('Side of the square input in pixels'),
  scale: z
    .number()
    .positive()
    .default(1 / 255)
    .describe('Pixels 0 to 255 are multiplied by it first'),
  mean: triple.default([0.485, 0.456, 0.406]).describe('Subtracted after that, in the order of `channels`'),
  std: triple.default([0.229, 0.224, 0.225]).describe('Divided by last, in the order of `channels`'),
  classes: z.array(z.string().min(1).max(100)).min(2).max(255).describe('Names of the logits, in their order'),
  classMap: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Classes of the taxonomy for classes of the model with another name; several may become one, and `background` is none',
    ),
});
export type UserModel = z.infer<typeof userModelSchema>;

/**
 * The logits that make up each label value (index; 0 is background).
 *
 * @throws PartloopError `model-invalid` with a table of the classes that only one of both has
 */
export function logitsOfLabels(model: UserModel, taxonomy: Taxonomy): number[][] {
  const names = labelNames(taxonomy);
  const sources: number[][] = names.map(() => []);
  const unknown: string[] = [];
  for (const [logit, name] of model.classes.entries()) {
    const value = names.indexOf(own(model.classMap, name) ?? name);
    if (value === -1) unknown.push(name);
    else sources[value]?.push(logit);
  }
  const lacking = names.filter((_, value) => sources[value]?.length === 0);
  const stray = Object.keys(model.classMap).filter((name) => !model.classes.includes(name));
  if (unknown.length + lacking.length + stray.length === 0) return sources;
  const lines = [
    ...unknown.map((name) => `  ${name.padEnd(28)} only in the model`),
    ...lacking.map((name) => `  ${name.padEnd(28)} only in taxonomy ${taxonomy.name}`),
    ...stray.map((name) => `  ${name.padEnd(28)} in \`classMap\`, but not among the model's classes`),
  ];
  throw new PartloopError(
    'model-invalid',
    `the model's classes do not fit taxonomy ${taxonomy.name}:\n${lines.join('\n')}`,
    {
      hint: 'Map its classes to those of the taxonomy in `classMap` of its model.json (`background` for none).',
    },
  );
}

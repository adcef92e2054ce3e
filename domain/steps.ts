import { z } from 'zod';
import { nameSchema } from './base/ids.js';
import { loopConfigSchema } from './config.js';
import { controlStep } from './control/step.js';
import { decideStep } from './decide/step.js';
import { drawStep } from './draw/step.js';
import { evaluateStep } from './evaluate/step.js';
import { reportStep } from './report/step.js';
import { sampleStep } from './sample/step.js';
import { scanStep } from './scan/step.js';
import { type ResultOf, STEPS, type Step, type StepContract, stepResultSchema } from './stepContract.js';
import { foldPart, trainStep } from './train/step.js';
import { tuneStep } from './tune/step.js';

export { isOptional, isPart, PARTS, type Part, STEPS, type Step, type StepResult } from './stepContract.js';

export const stepSchema = z.enum(STEPS);

/** The contract of each step. */
export const CONTRACTS = {
  draw: drawStep,
  scan: scanStep,
  sample: sampleStep,
  train: trainStep,
  evaluate: evaluateStep,
  decide: decideStep,
  tune: tuneStep,
  control: controlStep,
  report: reportStep,
} as const satisfies Record<Step, StepContract>;

/**
 * The result of a step in a record or a message. A result of another version may lack an output or a fact. A fact of
 * another type counts as missing; unknown fields stay.
 */
export function recordedResult<C extends StepContract>({ outputs, facts }: C): z.ZodType<ResultOf<C>, ResultOf<C>> {
  const unknown = stepResultSchema.shape;
  const lenient = (shape: z.ZodObject['shape'], rest: z.ZodType) =>
    z
      .object(
        Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, z.optional(schema).catch(undefined)])),
      )
      .catchall(rest);
  const schema: z.ZodType = stepResultSchema.extend({
    outputs: lenient(outputs.shape, unknown.outputs.valueType),
    facts: lenient(facts.shape, unknown.facts.valueType),
  });
  // The fields above are those of the contract, each optional; zod has no type for that of a generic shape.
  return schema as z.ZodType<ResultOf<C>, ResultOf<C>>;
}

export const resultSchemas = {
  draw: recordedResult(drawStep),
  scan: recordedResult(scanStep),
  sample: recordedResult(sampleStep),
  train: recordedResult(trainStep),
  evaluate: recordedResult(evaluateStep),
  decide: recordedResult(decideStep),
  tune: recordedResult(tuneStep),
  control: recordedResult(controlStep),
  report: recordedResult(reportStep),
};

export const foldResultSchema = recordedResult(foldPart);

/** The results of the steps of one iteration so far. */
export const stepResultsSchema = z.object(resultSchemas).partial();
export type StepResults = z.infer<typeof stepResultsSchema>;

/** A forced replay: goes into the digests of the steps from `from` on, so that they are done again. */
export const forceSchema = z.object({ from: stepSchema, token: z.string().max(64) });

/** The input of every step of one iteration, beside the results of the steps before it. */
export const iterationContextSchema = z.object({
  loop: nameSchema,
  iteration: z.number().int().positive(),
  config: loopConfigSchema,
  /** The loop's earlier iterations: later steps build on them (training sets, models, misses). */
  previous: z
    .object({
      sample: resultSchemas.sample,
      train: resultSchemas.train,
      evaluate: resultSchemas.evaluate,
      draw: resultSchemas.draw,
      scan: resultSchemas.scan,
      /** Absent if it had no control. */
      control: resultSchemas.control.optional(),
    })
    .nullable(),
  force: forceSchema.nullable(),
  /** Results of an earlier attempt that this one takes over unchanged. */
  kept: stepResultsSchema.optional(),
  /** Where people open the board, for links in the Temporal UI; steps do not get it. */
  board: z.string().optional(),
  /**
   * Raised by each request of a person to try again within one run of the iteration's workflow; a new run counts
   * separately. It is in no digest: it lets a training that gave up try again from its newest checkpoint.
   */
  retry: z.number().int().nonnegative().optional(),
});
export type IterationContext = z.infer<typeof iterationContextSchema>;

/** The input of a step's activity. */
export interface StepInput {
  context: IterationContext;
  results: StepResults;
}

import { z } from 'zod';
import { PartloopError } from './base/errors.js';
import { sha256Schema } from './base/ids.js';

/** The steps of an iteration, in order; those of `OPTIONAL` only if they are enabled. */
export const STEPS = ['draw', 'scan', 'sample', 'train', 'evaluate', 'decide', 'tune', 'control', 'report'] as const;
export type Step = (typeof STEPS)[number];

/** Steps that no later iteration needs. */
const OPTIONAL: readonly Step[] = ['tune', 'control'];
export const isOptional = (step: Step): boolean => OPTIONAL.includes(step);

/** Work with a commit of its own that is a part of a step. */
export const PARTS = { plan: 'scan', fold: 'scan', trial: 'tune', arm: 'control' } as const satisfies Record<
  string,
  Step
>;
export type Part = keyof typeof PARTS;
export const isPart = (step: string): step is Part => Object.hasOwn(PARTS, step);

/** How a fact is written for people: `share` as a percentage, `iou` and `difference` with four places. */
export type Unit = 'count' | 'share' | 'iou' | 'difference' | 'number' | 'text' | 'yesNo';

/** The text that people read beside a fact. */
interface FactLabel {
  label: string;
  unit: Unit;
  /** Shown only if it is not 0. */
  isException: boolean;
}

const labels = z.registry<FactLabel>();
function labelled<T extends z.ZodType>(schema: T, unit: Unit, label: string, isException = false): T {
  labels.add(schema, { unit, label, isException });
  return schema;
}

/** Facts by their unit: each is declared once, in the contract of its step, with the label that people read. */
export const fact = {
  count: (label: string) => labelled(z.number().int().nonnegative(), 'count', label),
  /** A count that is 0 if all went well. */
  exception: (label: string) => labelled(z.number().int().nonnegative(), 'count', label, true),
  /** Null if there was nothing to estimate it from. */
  share: (label: string) => labelled(z.number().nullable(), 'share', label),
  /** An intersection over union, or a mean of several; null if there was no class to measure. */
  iou: (label: string) => labelled(z.number().nullable(), 'iou', label),
  /** A signed difference of two of them; null if there was nothing to compare with. */
  difference: (label: string) => labelled(z.number().nullable(), 'difference', label),
  number: (label: string) => labelled(z.number().nullable(), 'number', label),
  text: (label: string) => labelled(z.string().nullable(), 'text', label),
  yesNo: (label: string) => labelled(z.boolean(), 'yesNo', label),
} as const;

const factSchema = z.union([z.number(), z.string(), z.boolean(), z.null()]);
export type Fact = z.infer<typeof factSchema>;

/** hit: found done with the same digest; miss: done now; forced: done again although it was done. */
export const stepOutcomeSchema = z.enum(['hit', 'miss', 'forced']);

/** The part of a finished step that travels through Temporal: keys and small facts, never data. */
export const stepResultSchema = z.object({
  step: z.string(),
  digest: sha256Schema,
  outcome: stepOutcomeSchema,
  /** name -> S3 key inside the store. */
  outputs: z.record(z.string(), z.string()),
  /** Small facts for people and for later steps. */
  facts: z.record(z.string(), factSchema),
  seconds: z.number().nonnegative(),
});

/** The result of any step; `ResultOf` is that of a known one. */
export interface StepResult extends Omit<z.infer<typeof stepResultSchema>, 'outputs' | 'facts'> {
  outputs: Readonly<Record<string, string | undefined>>;
  facts: Readonly<Record<string, Fact | undefined>>;
}

/** The contract of a step: its inputs make its digest; it leaves outputs and facts to later steps and to people. */
export interface StepContract<
  Inputs extends z.ZodType = z.ZodType,
  Outputs extends z.ZodObject = z.ZodObject,
  Facts extends z.ZodObject = z.ZodObject,
> {
  readonly step: Step | Part;
  /** Raised when the same inputs give other outputs. */
  readonly version: number;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  readonly facts: Facts;
}

/** All outputs and facts that a finished step leaves. */
export interface WorkOf<C extends StepContract> {
  outputs: z.input<C['outputs']>;
  facts: z.input<C['facts']>;
}

/** The result of a step as a reader sees it: a result of another version may lack an output or a fact. */
export interface ResultOf<C extends StepContract> extends Omit<StepResult, 'outputs' | 'facts'> {
  outputs: Readonly<Partial<z.output<C['outputs']>>>;
  facts: Readonly<Partial<z.output<C['facts']>>>;
}

/** Label and unit of a step's fact; null for a fact of another version. */
export function factLabel({ facts }: StepContract, name: string): FactLabel | null {
  const schema = Object.hasOwn(facts.shape, name) ? facts.shape[name] : undefined;
  const declared = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return declared instanceof z.ZodType ? (labels.get(declared) ?? null) : null;
}

/** An output of a step's result, by name. @throws PartloopError `data-invalid` if the step left none. */
export function outputOf<R extends StepResult>(result: R, name: keyof R['outputs'] & string): string {
  const key = result.outputs[name];
  if (key !== undefined) return key;
  throw new PartloopError('data-invalid', `${nameOf(result)} has no output \`${name}\``, { hint: REDO });
}

/** A fact of a step's result, by name. @throws PartloopError `data-invalid` if the step left none. */
export function factOf<R extends StepResult, Name extends keyof R['facts'] & string>(
  result: R,
  name: Name,
): Exclude<R['facts'][Name], undefined> {
  const value = result.facts[name];
  if (value !== undefined) return value as Exclude<R['facts'][Name], undefined>;
  throw new PartloopError('data-invalid', `${nameOf(result)} has no fact \`${name}\``, { hint: REDO });
}

const REDO = 'It is of another version, or damaged: replay the iteration from this step.';
const nameOf = ({ step, digest }: StepResult): string => `step ${step} ${digest.slice(0, 12)}`;

/**
 * The results that `who` needs.
 *
 * @throws PartloopError `input-invalid` naming a missing one
 */
export function neededBy<Results extends object, Name extends keyof Results & string>(
  who: string,
  results: Results,
  names: readonly Name[],
): { [N in Name]-?: NonNullable<Results[N]> } {
  for (const name of names)
    if (results[name] == null)
      throw new PartloopError(
        'input-invalid',
        `${who} needs the results of ${names.join(' and ')}: ${name} is missing`,
      );
  return results as { [N in Name]-?: NonNullable<Results[N]> };
}

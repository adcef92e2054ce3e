import { z } from 'zod';
import { oneLine } from '../base/oneLine.js';
import { bounds, comparePaired } from '../decide/bootstrap.js';
import type { GateConfig } from '../decide/config.js';
import { onCommonImages } from '../decide/gate.js';
import type { WorkOf } from '../stepContract.js';
import type { EvaluationRow } from '../tables.js';
import type { Taxonomy } from '../taxonomy.js';
import type { controlStep } from './step.js';

const count = z.number().int().nonnegative();
const iou = z.number().min(0).max(1);

/** `control.json`: the loop's model beside one that was trained on a random training set. */
export const controlComparisonSchema = z.object({
  version: z.literal(1),
  /** null if there is no control. */
  compared: z
    .object({
      /** mIoU of the loop's model less that of the control, with its bounds, each at error probability `alpha`. */
      gain: z.number().min(-1).max(1),
      lower: z.number(),
      upper: z.number(),
      alpha: z.number(),
      miou: iou,
      controlMiou: iou,
      /** Vehicles, or images without one. */
      units: count,
      /** Test images on which both were judged. */
      images: count,
      /** Images that the two were trained on. */
      trainedOn: count,
      controlTrainedOn: count,
    })
    .nullable(),
  /** Why there is no control; null if there is one. */
  why: z.string().nullable(),
  /** In what the two trainings differ beside the choice of images, in words. */
  unlike: z.array(z.string()),
});
export type ControlComparison = z.infer<typeof controlComparisonSchema>;

export interface ControlRequest {
  /** Evaluations of the two models on the test images. */
  model: readonly EvaluationRow[];
  control: readonly EvaluationRow[];
  /** Images that the two were trained on. */
  trainedOn: number;
  controlTrainedOn: number;
  /** Whether the control lacks earlier trainings that are in the weights of the loop's model. */
  behind: boolean;
  taxonomy: Taxonomy;
  gate: Pick<GateConfig, 'alpha' | 'resamples'>;
  seed: number;
}

/**
 * The gain over random: a paired bootstrap by vehicle on the test images of both, as the gate's. It decides nothing, so
 * that it spends no look at the test set: each bound has the whole `alpha`.
 */
export function compareWithControl(request: ControlRequest): ControlComparison {
  const { taxonomy, gate, seed, trainedOn, controlTrainedOn, behind } = request;
  const { candidate, benchmark } = onCommonImages(request.model, request.control);
  const comparison = comparePaired({
    ...{ candidate, benchmark, metric: 'region', resamples: gate.resamples },
    labels: taxonomy.classes.map((_, index) => index + 1),
    seed: [seed, 'control'],
  });
  const { gain, units } = comparison;
  return {
    version: 1,
    compared: {
      ...{ gain, ...bounds(comparison, gate.alpha), alpha: gate.alpha, units, images: candidate.length },
      ...{ miou: comparison.candidate, controlMiou: comparison.benchmark, trainedOn, controlTrainedOn },
    },
    why: null,
    unlike: [
      ...(controlTrainedOn !== trainedOn ? [`trained on ${controlTrainedOn} images instead of ${trainedOn}`] : []),
      ...(behind ? ['without the earlier trainings from which the model starts'] : []),
    ],
  };
}

const LONGEST_REASON = 500;

/** An iteration whose control failed. */
export const noControl = (why: string): ControlComparison => ({
  version: 1,
  compared: null,
  why: oneLine(why).slice(0, LONGEST_REASON),
  unlike: [],
});

/** The facts of step control. */
export function controlFacts(
  { compared, why, unlike }: ControlComparison,
  behind: boolean,
): WorkOf<typeof controlStep>['facts'] {
  const { gain = null, lower = null, upper = null, controlMiou: miou = null } = compared ?? {};
  return {
    ...{ gain, lower, upper, miou },
    ...(compared === null ? {} : { images: compared.controlTrainedOn }),
    unlike: unlike.length === 0 ? null : unlike.join('; '),
    why,
    ...(behind ? { behind } : {}),
  };
}

import type { EvaluationRow } from '../tables.js';
import type { Tags } from '../tags.js';
import { countBoundary } from './boundary.js';
import { countCalibration } from './calibration.js';
import { ClassSums, classLabels, countConfusion } from './confusion.js';

/** Label values [height, width] of one test image, as they should be and as they were predicted. */
export interface ScoredMask {
  given: Uint8Array;
  predicted: Uint8Array;
  /** 255 × the network's probability of what is predicted; null if it is not known. */
  probabilities: Uint8Array | null;
  width: number;
  height: number;
  /** Classes of the taxonomy; label values are 0 to `classes`. */
  classes: number;
}

/** What a row keeps of its image beside the counts. */
export type Scored = Pick<EvaluationRow, 'imageId' | 'fileName' | 'vehicleId'> & Tags;

/** The counts of one test image, from which every figure of an evaluation is a sum. */
export function scoreMask(row: Scored, mask: ScoredMask): EvaluationRow {
  const { given, predicted, probabilities, width, height, classes } = mask;
  const { imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region } = row;
  const labels = classLabels(classes);
  const confusion = countConfusion(given, predicted);
  return {
    ...{ imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region },
    confusion,
    boundary: countBoundary(given, predicted, width, height, labels.length),
    imageMiou: new ClassSums().add(confusion).miouOfPresent(labels),
    calibration: probabilities === null ? null : countCalibration(given, predicted, probabilities),
  };
}

import type { TrainConfig } from '../../train/config.js';
import type { ScanConfig } from '../config.js';

/** Training of a fold: the loop's, shorter. It never starts from weights that may know the images it will judge. */
export function foldTraining(train: TrainConfig, scan: ScanConfig): TrainConfig {
  return {
    ...train,
    iterations: Math.max(1, Math.round(train.iterations * scan.foldIterationShare)),
    warmStart: false,
    doubtBackground: scan.foldDoubt ?? train.doubtBackground,
  };
}

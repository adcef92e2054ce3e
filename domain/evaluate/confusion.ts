import { BACKGROUND, IGNORE_INDEX } from '../taxonomy.js';

/** Pixel counts of given against predicted label values, as flat triples given, predicted, pixels; sparse. */
export type ConfusionTriples = number[];

/** Count one image. `given` and `predicted` hold label values of equal length; given 255 never counts. */
export function countConfusion(given: Uint8Array, predicted: Uint8Array): ConfusionTriples {
  const counts = new Uint32Array(256 * 256);
  for (let pixel = 0; pixel < given.length; pixel++) {
    const label = given[pixel] as number;
    if (label === IGNORE_INDEX) continue;
    const cell = label * 256 + (predicted[pixel] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
  const triples: number[] = [];
  for (let cell = 0; cell < counts.length; cell++) {
    const pixels = counts[cell] as number;
    if (pixels > 0) triples.push(cell >> 8, cell & 255, pixels);
  }
  return triples;
}

/** Sums over images by label value. */
export class ClassSums {
  readonly intersection = new Float64Array(256);
  readonly given = new Float64Array(256);
  readonly predicted = new Float64Array(256);

  add(triples: readonly number[]): this {
    for (let at = 0; at < triples.length; at += 3) {
      const given = triples[at] as number;
      const predicted = triples[at + 1] as number;
      const pixels = triples[at + 2] as number;
      this.given[given] = (this.given[given] as number) + pixels;
      this.predicted[predicted] = (this.predicted[predicted] as number) + pixels;
      if (given === predicted) this.intersection[given] = (this.intersection[given] as number) + pixels;
    }
    return this;
  }

  union(label: number): number {
    return (this.given[label] as number) + (this.predicted[label] as number) - (this.intersection[label] as number);
  }

  /** null if neither label nor prediction has the class. */
  iou(label: number): number | null {
    const union = this.union(label);
    return union === 0 ? null : (this.intersection[label] as number) / union;
  }

  /** Mean IoU over those of `labels` with ground truth in these images; null if none has. */
  miou(labels: readonly number[]): number | null {
    return mean(labels.filter((label) => (this.given[label] as number) > 0).map((label) => this.iou(label) ?? 0));
  }

  /** Mean IoU over those of `labels` in ground truth or prediction; 1 if neither has any. */
  miouOfPresent(labels: readonly number[]): number {
    return mean(labels.map((label) => this.iou(label)).filter((iou) => iou !== null)) ?? 1;
  }
}

export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Label values of the classes 1..N. */
export const classLabels = (classes: number): number[] =>
  Array.from({ length: classes }, (_, index) => index + BACKGROUND + 1);

import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../../../domain/taxonomy.js';

interface Labelled {
  imageId: string;
  label: Uint8Array;
  width: number;
  height: number;
}

/**
 * Shape complexity of labels (training-free pruning, arXiv 2503.00828): perimeter / (2·sqrt(π·area)) of each component,
 * which no scale changes, divided by the mean of its class, and summed over an image's components.
 */
export function shapeScores(images: readonly Labelled[]): Map<string, number> {
  const byImage = images.map(({ imageId, label, width, height }) => ({
    imageId,
    components: complexities(label, width, height),
  }));
  const ofClass = new Map<number, { sum: number; count: number }>();
  for (const { components } of byImage)
    for (const { value, complexity } of components) {
      const entry = ofClass.get(value) ?? { sum: 0, count: 0 };
      ofClass.set(value, { sum: entry.sum + complexity, count: entry.count + 1 });
    }
  const meanOf = (value: number): number => {
    const { sum, count } = ofClass.get(value) ?? { sum: 1, count: 1 };
    return sum / count;
  };
  return new Map(
    byImage.map(({ imageId, components }) => [
      imageId,
      components.reduce((sum, { value, complexity }) => sum + complexity / meanOf(value), 0),
    ]),
  );
}

function complexities(label: Uint8Array, width: number, height: number): { value: number; complexity: number }[] {
  const { ids, list } = connectedComponents(label, width, height, skipValues(BACKGROUND, IGNORE_INDEX));
  const perimeter = new Float64Array(list.length);
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? -1 : (ids[y * width + x] as number);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const id = at(x, y);
      if (id < 0) continue;
      const edges = [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x, y + 1)].filter((other) => other !== id).length;
      perimeter[id] = (perimeter[id] as number) + edges;
    }
  return list.map(({ id, value, area }) => ({
    value,
    complexity: (perimeter[id] as number) / (2 * Math.sqrt(Math.PI * area)),
  }));
}

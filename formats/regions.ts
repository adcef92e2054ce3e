import { type Component, connectedComponents, skipValues } from '../domain/geometry/components.js';
import { BACKGROUND, IGNORE_INDEX } from '../domain/taxonomy.js';
import type { ManifestImage } from './manifest.js';

/** One connected piece of a class, with the findings whose box lies over it. */
export interface LabelRegion {
  component: Component;
  inside(x: number, y: number): boolean;
  findingIds: string[];
}

/** The pieces of a raster in order of their first pixels. */
export function labelRegions(image: ManifestImage, raster: Uint8Array): LabelRegion[] {
  const { width, height, findings } = image;
  const { ids, list } = connectedComponents(raster, width, height, skipValues(BACKGROUND, IGNORE_INDEX));
  return list.map((component) => ({
    component,
    inside: (x, y) => ids[y * width + x] === component.id,
    findingIds: findings
      .filter(
        ({ classId, box: [x0, y0, x1, y1] }) =>
          (classId === BACKGROUND || classId === component.value) &&
          x0 * width < component.x1 &&
          x1 * width > component.x0 &&
          y0 * height < component.y1 &&
          y1 * height > component.y0,
      )
      .map(({ findingId }) => findingId),
  }));
}

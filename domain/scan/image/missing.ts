import { type Component, connectedComponents, skipValues } from '../../geometry/components.js';
import { inradii, regionDistance } from '../../geometry/distance.js';
import { BACKGROUND } from '../../taxonomy.js';
import { adjacencyOf, belongs, enclosureOf } from './adjacency.js';
import { balanceOf, type LabelView, type RegionCandidate } from './picture.js';
import { ADJACENCY, MISSING } from './thresholds.js';

/** The predicted parts that are labelled as background, cut into components. */
export interface Unlabelled {
  candidates: RegionCandidate[];
  /** Confidence-weighted pixels farther than the edge band from any change. */
  mass: number;
  /** 1 at pixels of a candidate of this list. */
  covered: Uint8Array;
  /** 1 at pixels of a part that is missing as a whole; even a bad outline cannot cause that. */
  leftOut: Uint8Array;
}

/**
 * Missing parts and holes: the prediction where the label says background, cut into components. A component counts if
 * it is most of a predicted part, or too thick for a disagreement about an outline. Every unlabelled region enclosed by
 * labelled parts also counts, whether the model sees a part there or not (after the connected-component view of
 * Rottmann & Reese 2022, arXiv 2207.06104).
 */
export function findMissing(view: LabelView): Unlabelled {
  const { picture, labelled } = view;
  const { width, height, predicted, pMask } = picture;
  const unlabelled = new Uint8Array(width * height);
  for (let pixel = 0; pixel < unlabelled.length; pixel++) {
    if (labelled.values[pixel] === BACKGROUND) unlabelled[pixel] = predicted.values[pixel] as number;
  }
  const { ids, list } = connectedComponents(unlabelled, width, height, skipValues(BACKGROUND));
  const distance = regionDistance(unlabelled, width, height, true);
  const radii = inradii(ids, distance, list.length);
  const core = predictedCores(view);
  const confidence = new Float64Array(list.length);
  const home = new Int32Array(list.length);
  let mass = 0;
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id < 0) continue;
    const probability = (pMask[pixel] as number) / 255;
    confidence[id] = (confidence[id] as number) + probability;
    home[id] = predicted.components.ids[pixel] as number;
    if ((distance[pixel] as number) >= picture.edge) mass += probability;
  }
  const candidates: RegionCandidate[] = [];
  const accepted = new Uint8Array(list.length);
  for (const component of list) {
    const { id, area, value } = component;
    const part = predicted.components.list[home[id] as number] as Component;
    const coverage = area / part.area;
    const radius = radii[id] as number;
    const thick = radius >= MISSING.thickEdges * picture.edge;
    if (area < picture.minArea || !(coverage >= MISSING.mostOfPart || (coverage >= MISSING.someOfPart && thick)))
      continue;
    accepted[id] = coverage >= MISSING.wholePart ? 2 : 1;
    const inside = (pixel: number): boolean => ids[pixel] === id;
    const around = adjacencyOf(view, component, inside);
    candidates.push({
      inside,
      bounds: component,
      candidate: {
        kind: 'missing_part',
        classId: BACKGROUND,
        suggestedClassId: value,
        area,
        box: [component.x0, component.y0, component.x1, component.y1],
        features: {
          confidence: (confidence[id] as number) / area,
          disagreement: core[home[id] as number] as number,
          coverage,
          compactness: Math.min(1, radius / Math.sqrt(area)),
          enclosure: enclosureOf(around),
          absent: (labelled.areas[value] as number) < MISSING.absentBelow * picture.minArea ? 1 : 0,
          balance: balanceOf(view, value),
          context: picture.clarity,
          gain: 0,
          fitting: (belongs(around, value, picture.adjacent) ?? ADJACENCY.unknown) - ADJACENCY.unknown,
        },
        counts: [value, 0, area],
        rule: false,
      },
    });
  }
  const covered = new Uint8Array(width * height);
  const leftOut = new Uint8Array(width * height);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id < 0 || accepted[id] === 0) continue;
    covered[pixel] = 1;
    leftOut[pixel] = accepted[id] === 2 ? 1 : 0;
  }
  return { candidates, mass, covered, leftOut };
}

/** Share of each predicted component's core (a quarter of its radius from the edge) that is labelled as background. */
function predictedCores(view: LabelView): Float64Array {
  const { components, distance, radii } = view.picture.predicted;
  const core = new Float64Array(components.list.length);
  const bare = new Float64Array(components.list.length);
  for (let pixel = 0; pixel < components.ids.length; pixel++) {
    const id = components.ids[pixel] as number;
    if (id < 0 || (distance[pixel] as number) < MISSING.coreFrom * (radii[id] as number)) continue;
    core[id] = (core[id] as number) + 1;
    if (view.labelled.values[pixel] === BACKGROUND) bare[id] = (bare[id] as number) + 1;
  }
  return core.map((count, id) => (count === 0 ? 0 : (bare[id] as number) / count));
}

/**
 * Unlabelled regions that labelled parts enclose on all sides, without `covered` ones (already named as missing parts).
 */
export function findHoles(view: LabelView, covered: Uint8Array): { candidates: RegionCandidate[]; mass: number } {
  const { picture, labelled } = view;
  const { width, height, predicted, pMask } = picture;
  const skip = new Uint8Array(256).fill(1);
  skip[BACKGROUND] = 0;
  const { ids, list } = connectedComponents(labelled.values, width, height, skip);
  const candidates: RegionCandidate[] = [];
  let mass = 0;
  for (const hole of list) {
    if (hole.atEdge || hole.area < MISSING.holeFrom * picture.minArea) continue;
    mass += hole.area;
    const seen = new Map<number, number>();
    let known = 0;
    let confidence = 0;
    let parts = 0;
    for (let y = hole.y0; y < hole.y1; y++) {
      for (let x = hole.x0; x < hole.x1; x++) {
        const pixel = y * width + x;
        if (ids[pixel] !== hole.id) continue;
        known += covered[pixel] as number;
        const value = predicted.values[pixel] as number;
        if (value === BACKGROUND) continue;
        seen.set(value, (seen.get(value) ?? 0) + 1);
        confidence += (pMask[pixel] as number) / 255;
        parts++;
      }
    }
    if (known >= MISSING.holeKnown * hole.area || hole.area < picture.minArea) continue;
    const best = [...seen].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
    const suggested = best !== undefined && best[1] >= MISSING.holeSuggests * hole.area ? best[0] : null;
    const inside = (pixel: number): boolean => ids[pixel] === hole.id;
    candidates.push({
      inside,
      bounds: hole,
      candidate: {
        kind: 'hole',
        classId: BACKGROUND,
        suggestedClassId: suggested,
        area: hole.area,
        box: [hole.x0, hole.y0, hole.x1, hole.y1],
        features: {
          confidence: parts === 0 ? 0 : confidence / parts,
          disagreement: parts / hole.area,
          coverage: best === undefined ? 0 : Math.min(1, best[1] / (predicted.areas[best[0]] as number)),
          compactness: Math.min(1, innerRadius(view, hole, inside) / Math.sqrt(hole.area)),
          enclosure: enclosureOf(adjacencyOf(view, hole, inside, 0)),
          absent:
            suggested !== null && (labelled.areas[suggested] as number) < MISSING.absentBelow * picture.minArea ? 1 : 0,
          balance: suggested === null ? 0 : balanceOf(view, suggested),
          context: picture.clarity,
          gain: 0,
        },
        counts: [...seen].flatMap(([value, area]) => [value, 0, area]),
        rule: true,
      },
    });
  }
  return { candidates, mass };
}

function innerRadius(view: LabelView, box: Component, inside: (pixel: number) => boolean): number {
  let radius = 0;
  for (let y = box.y0; y < box.y1; y++) {
    for (let x = box.x0; x < box.x1; x++) {
      const pixel = y * view.picture.width + x;
      if (inside(pixel)) radius = Math.max(radius, view.labelled.distance[pixel] as number);
    }
  }
  return radius;
}

const DIAGONAL = Math.SQRT2;

/**
 * Distance in pixels of every pixel to the edge of its region of equal value: 1 beside a pixel of another value,
 * growing inwards. It is a chamfer transform (1, sqrt 2; Borgefors 1986), within 8 % of Euclid. The edge of the raster
 * is no edge of a region: regions cut off by the picture continue outside. A raster of one value gets `width + height`.
 * With `partsOnly`, pixels of value 0 are skipped and stay 0.
 */
export function regionDistance(values: Uint8Array, width: number, height: number, partsOnly = false): Float32Array {
  const far = width + height;
  const distance = new Float32Array(width * height);
  const right = width - 1;
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const value = values[pixel] as number;
      if (partsOnly && value === 0) continue;
      let best = far;
      let step: number;
      if (x > 0) {
        step = values[pixel - 1] === value ? (distance[pixel - 1] as number) + 1 : 1;
        if (step < best) best = step;
      }
      // Nothing is nearer than a neighbour of another value.
      if (y > 0 && best > 1) {
        const above = pixel - width;
        step = values[above] === value ? (distance[above] as number) + 1 : 1;
        if (step < best) best = step;
        if (x > 0) {
          step = values[above - 1] === value ? (distance[above - 1] as number) + DIAGONAL : DIAGONAL;
          if (step < best) best = step;
        }
        if (x < right) {
          step = values[above + 1] === value ? (distance[above + 1] as number) + DIAGONAL : DIAGONAL;
          if (step < best) best = step;
        }
      }
      distance[pixel] = best;
    }
  }
  for (let y = height - 1, pixel = width * height - 1; y >= 0; y--) {
    for (let x = right; x >= 0; x--, pixel--) {
      let best = distance[pixel] as number;
      if (best <= 1) continue;
      const value = values[pixel] as number;
      let step: number;
      if (x < right) {
        step = values[pixel + 1] === value ? (distance[pixel + 1] as number) + 1 : 1;
        if (step < best) best = step;
      }
      if (y < height - 1) {
        const below = pixel + width;
        step = values[below] === value ? (distance[below] as number) + 1 : 1;
        if (step < best) best = step;
        if (x < right) {
          step = values[below + 1] === value ? (distance[below + 1] as number) + DIAGONAL : DIAGONAL;
          if (step < best) best = step;
        }
        if (x > 0) {
          step = values[below - 1] === value ? (distance[below - 1] as number) + DIAGONAL : DIAGONAL;
          if (step < best) best = step;
        }
      }
      distance[pixel] = best;
    }
  }
  return distance;
}

/** Largest distance of each of `count` components: approximately the radius of the largest disc inside. */
export function inradii(ids: Int32Array, distance: Float32Array, count: number): Float32Array {
  const radii = new Float32Array(count);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id >= 0 && (distance[pixel] as number) > (radii[id] as number)) radii[id] = distance[pixel] as number;
  }
  return radii;
}

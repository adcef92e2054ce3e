const DIAGONAL = Math.SQRT2;

/**
 * Distance in pixels of every pixel to the edge of the region of equal value it lies in: 1 beside a pixel of another
 * value, growing inwards; a chamfer transform (1, sqrt 2; Borgefors 1986), within 8 % of Euclid. The edge of the raster is
 * no edge of a region: what the picture cuts off goes on outside. A raster of one value gets `width + height`. With
 * `partsOnly`, pixels of value 0 are passed over and stay 0.
 */
export function regionDistance(values: Uint8Array, width: number, height: number, partsOnly = false): Float32Array {
  const far = width + height;
  const distance = new Float32Array(width * height);
  const at = (pixel: number, other: number, step: number, best: number): number => {
    const candidate = values[other] === values[pixel] ? (distance[other] as number) + step : step;
    return Math.min(candidate, best);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      if (partsOnly && values[pixel] === 0) continue;
      let best = far;
      if (x > 0) best = at(pixel, pixel - 1, 1, best);
      if (y > 0) {
        best = at(pixel, pixel - width, 1, best);
        if (x > 0) best = at(pixel, pixel - width - 1, DIAGONAL, best);
        if (x < width - 1) best = at(pixel, pixel - width + 1, DIAGONAL, best);
      }
      distance[pixel] = best;
    }
  }
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--) {
      const pixel = y * width + x;
      if (partsOnly && values[pixel] === 0) continue;
      let best = distance[pixel] as number;
      if (x < width - 1) best = at(pixel, pixel + 1, 1, best);
      if (y < height - 1) {
        best = at(pixel, pixel + width, 1, best);
        if (x < width - 1) best = at(pixel, pixel + width + 1, DIAGONAL, best);
        if (x > 0) best = at(pixel, pixel + width - 1, DIAGONAL, best);
      }
      distance[pixel] = best;
    }
  }
  return distance;
}

/** Largest distance of each of `count` components: the radius of the largest disc inside, about. */
export function inradii(ids: Int32Array, distance: Float32Array, count: number): Float32Array {
  const radii = new Float32Array(count);
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel] as number;
    if (id >= 0 && (distance[pixel] as number) > (radii[id] as number)) radii[id] = distance[pixel] as number;
  }
  return radii;
}

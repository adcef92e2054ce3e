/** A connected region of one value. Ends of the box are exclusive. */
export interface Component {
  id: number;
  value: number;
  area: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** Touches the edge of the raster. */
  atEdge: boolean;
}

export interface Components {
  /** Component id per pixel; -1 where the pixel has a value that is left out. */
  ids: Int32Array;
  list: Component[];
}

/**
 * Connected components (8 neighbours) of equal value over a `width` × `height` raster, row by row. Values whose entry in
 * `skip` (length 256) is 1 belong to none. Ids count in the order of the components' first pixels, so that equal rasters
 * give equal ids. Flood fill with an explicit stack: linear in the number of pixels.
 */
export function connectedComponents(values: Uint8Array, width: number, height: number, skip: Uint8Array): Components {
  const ids = new Int32Array(width * height).fill(-1);
  const stack = new Int32Array(width * height);
  const list: Component[] = [];
  for (let start = 0; start < ids.length; start++) {
    const value = values[start] as number;
    if (ids[start] !== -1 || skip[value] === 1) continue;
    const id = list.length;
    let area = 0;
    let x0 = width;
    let y0 = height;
    let x1 = 0;
    let y1 = 0;
    let top = 0;
    stack[top++] = start;
    ids[start] = id;
    while (top > 0) {
      const pixel = stack[--top] as number;
      const y = (pixel / width) | 0;
      const x = pixel - y * width;
      area++;
      if (x < x0) x0 = x;
      if (x >= x1) x1 = x + 1;
      if (y < y0) y0 = y;
      if (y >= y1) y1 = y + 1;
      const left = x > 0 ? x - 1 : 0;
      const right = x < width - 1 ? x + 1 : x;
      const last = y < height - 1 ? y + 1 : y;
      for (let row = y > 0 ? y - 1 : 0; row <= last; row++) {
        for (let next = row * width + left, end = row * width + right; next <= end; next++) {
          if (ids[next] === -1 && values[next] === value) {
            ids[next] = id;
            stack[top++] = next;
          }
        }
      }
    }
    list.push({ id, value, area, x0, y0, x1, y1, atEdge: x0 === 0 || y0 === 0 || x1 === width || y1 === height });
  }
  return { ids, list };
}

/** A skip table for `connectedComponents`: 1 at the values given. */
export function skipValues(...values: readonly number[]): Uint8Array {
  const skip = new Uint8Array(256);
  for (const value of values) skip[value] = 1;
  return skip;
}

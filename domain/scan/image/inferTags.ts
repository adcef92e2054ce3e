import { ANGLES, type Tags } from '../../tags.js';
import { BACKGROUND } from '../../taxonomy.js';
import type { Picture } from './picture.js';
import { VIEW } from './thresholds.js';

/**
 * Tags inferred from the prediction: angle, of a car that is whole in the picture; orientation (the side of most sided
 * parts); zoomed (some of the picture's rim shows the car). A tag that the parts do not determine is left out.
 */
export function inferTags(picture: Picture): Partial<Tags> {
  const { predicted, taxonomy, minArea, width, height } = picture;
  const tags: Partial<Tags> = {};
  let leftArea = 0;
  let rightArea = 0;
  taxonomy.classes.forEach((entry, index) => {
    const area = predicted.areas[index + 1] as number;
    if (area < minArea) return;
    if (entry.side === 'left') leftArea += area;
    if (entry.side === 'right') rightArea += area;
  });
  if (leftArea + rightArea >= VIEW.sidedAreas * minArea) {
    tags.orientation =
      leftArea >= VIEW.sideRatio * rightArea ? 'left' : rightArea >= VIEW.sideRatio * leftArea ? 'right' : 'none';
  }
  const rim = rimShare(predicted.values, width, height);
  if (rim !== null) tags.zoomed = rim >= VIEW.zoomedFrom;
  const angle = tags.zoomed === false ? angleOf(picture) : null;
  if (angle !== null) tags.angle = angle;
  return tags;
}

/**
 * The angle from which parts of the front, the sides and the back show such areas. A face of a box covers as much of
 * the picture as the cosine of the angle between its normal and the view; so front less back is to side as cosine to
 * sine, with faces taken for equally large. Which face a part is on follows from the angles that the taxonomy gives
 * for it: seen from straight ahead, from straight behind, or from neither. Null if too few such parts are seen.
 */
function angleOf({ predicted, taxonomy, minArea }: Picture): (typeof ANGLES)[number] | null {
  const faces = { front: 0, side: 0, back: 0 };
  let declared = 0;
  taxonomy.classes.forEach(({ angles }, index) => {
    const area = predicted.areas[index + 1] as number;
    const face = angles === null ? null : faceOf(angles);
    if (area < minArea || face === null) return;
    declared++;
    faces[face] += area;
  });
  if (declared < VIEW.leastParts) return null;
  const degrees = (Math.atan2(faces.side, faces.front - faces.back) * 180) / Math.PI;
  return ANGLES.reduce(
    (best, angle) => (Math.abs(angle - degrees) < Math.abs(best - degrees) ? angle : best),
    ANGLES[0],
  );
}

function faceOf([low, high]: readonly [number, number]): 'front' | 'side' | 'back' | null {
  const [ahead, behind] = [low <= 0, high >= 180];
  if (ahead && behind) return null;
  return ahead ? 'front' : behind ? 'back' : 'side';
}

/**
 * The same for rules and slices of probabilities, which lose by what is only probably so: more of the rim must show the
 * car, and an angle must be given, as one that is 15 degrees off makes a right part one that cannot be seen.
 */
export function cautiousTags(picture: Picture, { angle: _, ...inferred }: Partial<Tags>): Partial<Tags> {
  if (inferred.zoomed !== true) return inferred;
  const rim = rimShare(picture.predicted.values, picture.width, picture.height) ?? 0;
  return { ...inferred, zoomed: rim >= VIEW.surelyZoomedFrom };
}

/** Share of the picture's outermost pixels that show a part; null if nothing is predicted. */
function rimShare(values: Uint8Array, width: number, height: number): number | null {
  if (!values.some((value) => value !== BACKGROUND)) return null;
  let parts = 0;
  for (let x = 0; x < width; x++)
    parts += (values[x] === BACKGROUND ? 0 : 1) + (values[(height - 1) * width + x] === BACKGROUND ? 0 : 1);
  for (let y = 0; y < height; y++)
    parts += (values[y * width] === BACKGROUND ? 0 : 1) + (values[y * width + width - 1] === BACKGROUND ? 0 : 1);
  return parts / (2 * (width + height));
}

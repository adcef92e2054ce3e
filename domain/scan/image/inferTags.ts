import { ANGLES, type Tags } from '../../tags.js';
import { BACKGROUND } from '../../taxonomy.js';
import type { Picture } from './picture.js';
import { VIEW } from './thresholds.js';

/**
 * Tags inferred from the prediction: angle (the one from which most predicted parts are visible, the middle one if
 * several fit equally), orientation (the side of most sided parts), zoomed (some of the picture's rim shows the
 * car). A tag that the parts do not determine is left out.
 */
export function inferTags(picture: Picture): Partial<Tags> {
  const { predicted, taxonomy, minArea, width, height } = picture;
  const tags: Partial<Tags> = {};
  const score = ANGLES.map(() => 0);
  let declared = 0;
  let leftArea = 0;
  let rightArea = 0;
  taxonomy.classes.forEach((entry, index) => {
    const area = predicted.areas[index + 1] as number;
    if (area < minArea) return;
    if (entry.side === 'left') leftArea += area;
    if (entry.side === 'right') rightArea += area;
    if (entry.angles === null) return;
    declared++;
    const [low, high] = entry.angles;
    ANGLES.forEach((angle, at) => {
      if (angle < low || angle > high) score[at] = (score[at] as number) - 1;
    });
  });
  const best = Math.max(...score);
  const fitting = ANGLES.filter((_, at) => score[at] === best);
  if (declared >= VIEW.leastParts && fitting.length <= VIEW.mostAngles) {
    const middle = fitting[(fitting.length - 1) >> 1];
    if (middle !== undefined) tags.angle = middle;
  }
  if (leftArea + rightArea >= VIEW.sidedAreas * minArea) {
    tags.orientation =
      leftArea >= VIEW.sideRatio * rightArea ? 'left' : rightArea >= VIEW.sideRatio * leftArea ? 'right' : 'none';
  }
  const rim = rimShare(predicted.values, width, height);
  if (rim !== null) tags.zoomed = rim >= VIEW.zoomedFrom;
  return tags;
}

/**
 * The same for rules and slices of probabilities, which lose by what is only probably zoomed: more of the rim must show
 * the car.
 */
export function cautiousTags(picture: Picture, inferred: Partial<Tags>): Partial<Tags> {
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

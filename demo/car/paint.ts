import { seededRandom } from '../../domain/base/random.js';
import type { Point } from '../../domain/geometry/hull.js';
import { backdrop } from './backdrop.js';
import { BLACK_PAINT, blend, css, PAINTS, type Rgb, scaled } from './colour.js';
import { damageMarks, reflectionMarks } from './marks.js';
import type { ExactMask } from './mask.js';
import type { FlatPiece, Scene } from './scene.js';
import type { Material } from './surface.js';

const FIXED: Record<Exclude<Material, 'paint' | 'rim'>, Rgb> = {
  glass: [62, 78, 94],
  black: [34, 34, 36],
  tyre: [40, 40, 42],
  lamp: [206, 214, 220],
  tail: [176, 26, 30],
  amber: [236, 148, 36],
  red: [206, 62, 46],
  plate: [226, 226, 214],
  ink: [60, 62, 76],
  slat: [124, 128, 134],
  shine: [250, 246, 232],
  seam: [46, 46, 50],
};

const path = (points: readonly Point[]): string =>
  `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join('L')}Z`;

/** The scene as SVG of `scene.size` square pixels; its outlines are those of `mask`. */
export function drawScene(scene: Scene, mask: ExactMask): string {
  const { size, spec } = scene;
  const random = seededRandom(spec.sceneSeed, 'paint');
  const look = lookOf(scene);
  const bounds = boundsOf(mask.pieces);
  const horizon = Math.min(
    size * 0.85,
    Math.max(size * 0.2, bounds.top + (bounds.bottom - bounds.top) * (0.45 + random() * 0.3)),
  );
  const shadow = `<ellipse cx="${(bounds.left + bounds.right) / 2}" cy="${bounds.bottom - 2}" rx="${(bounds.right - bounds.left) * 0.53}" ry="${Math.max(3, size * 0.04)}" fill="black" fill-opacity="0.45"/>`;
  const gradients: string[] = [];
  const car = mask.pieces.map((piece, index) => {
    const base = scaled(colourOf(piece, look), (0.62 + 0.5 * piece.light) * look.exposure);
    const top = piece.material === 'glass' ? blend(base, look.sky, 0.42) : scaled(base, 1.14);
    const bottom = scaled(base, piece.material === 'glass' ? 0.75 : 0.8);
    gradients.push(
      `<linearGradient id="g${index}" x1="0" y1="0" x2="0.2" y2="1"><stop offset="0" stop-color="${css(top)}"/><stop offset="1" stop-color="${css(bottom)}"/></linearGradient>`,
    );
    const seam =
      piece.label === undefined || piece.label === null
        ? ''
        : ` stroke="black" stroke-opacity="${look.seam}" stroke-width="0.6"`;
    return `<path d="${path(piece.points)}" fill="url(#g${index})"${seam}/>`;
  });
  const silhouette = mask.pieces
    .filter(({ label }) => typeof label === 'string')
    .map(({ points }) => path(points))
    .join('');
  const marks = [
    spec.tags.reflection === true ? reflectionMarks(bounds, seededRandom(spec.sceneSeed, 'reflection')) : '',
    damageMarks(spec.tags.damage, bounds, look.paint, seededRandom(spec.sceneSeed, 'damage')),
  ].join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><defs>${gradients.join('')}<clipPath id="car"><path d="${silhouette}"/></clipPath></defs>${backdrop(size, horizon, random)}${shadow}${car.join('')}<g clip-path="url(#car)">${marks}</g></svg>`;
}

interface Look {
  paint: Rgb;
  roof: Rgb;
  bumper: Rgb;
  rim: Rgb;
  sky: Rgb;
  exposure: number;
  seam: number;
}

function lookOf(scene: Scene): Look {
  const own = seededRandom(scene.spec.vehicleId, 'look');
  const light = seededRandom(scene.spec.sceneSeed, 'light');
  const chosen = PAINTS[Math.floor(own() * PAINTS.length)] ?? BLACK_PAINT;
  const paint = scene.spec.tags.black === true ? BLACK_PAINT : scaled(chosen, 0.9 + own() * 0.2);
  return {
    paint,
    roof: own() < 0.2 ? [50, 50, 54] : paint,
    bumper: own() < 0.3 ? [66, 67, 70] : paint,
    rim: scaled([176, 180, 186], 0.7 + own() * 0.35),
    sky: [190, 208, 226],
    exposure: 0.78 + light() * 0.44,
    seam: 0.35 + light() * 0.25,
  };
}

function colourOf({ material, part }: FlatPiece, look: Look): Rgb {
  if (material === 'rim') return look.rim;
  if (material !== 'paint') return FIXED[material];
  if (part === 'roof') return look.roof;
  if (part === 'front_bumper' || part === 'rear_bumper') return look.bumper;
  if (part === 'pillars' || part === 'hull') return scaled(look.paint, 0.72);
  return look.paint;
}

export interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function boundsOf(pieces: readonly FlatPiece[]): Bounds {
  const points = pieces.flatMap((piece) => piece.points);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

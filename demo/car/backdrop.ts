import { blend, css, type Rgb } from './colour.js';

const WALLS: readonly Rgb[] = [
  [158, 146, 130],
  [120, 126, 134],
  [176, 168, 152],
  [136, 92, 74],
  [92, 104, 96],
  [196, 192, 186],
];
const GROUNDS: readonly Rgb[] = [
  [92, 92, 94],
  [128, 124, 118],
  [110, 116, 104],
  [150, 146, 140],
];
const SKIES: readonly Rgb[] = [
  [172, 198, 224],
  [206, 212, 218],
  [150, 170, 200],
  [216, 200, 180],
];

const pick = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)] as T;

/**
 * Street, car park or yard behind the car, as SVG: sky, ground, walls with windows, trees, poles, markings, other cars.
 * `horizon` and `size` in pixels.
 */
export function backdrop(size: number, horizon: number, random: () => number): string {
  const sky = pick(SKIES, random);
  const ground = pick(GROUNDS, random);
  const shapes: string[] = [
    `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${css(sky)}"/><stop offset="1" stop-color="${css(blend(sky, [255, 255, 255], 0.35))}"/></linearGradient>`,
    `<linearGradient id="ground" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${css(blend(ground, [0, 0, 0], 0.2))}"/><stop offset="1" stop-color="${css(blend(ground, [255, 255, 255], 0.12))}"/></linearGradient></defs>`,
    `<rect width="${size}" height="${horizon}" fill="url(#sky)"/><rect y="${horizon}" width="${size}" height="${size - horizon}" fill="url(#ground)"/>`,
  ];
  for (let count = 2 + Math.floor(random() * 4); count > 0; count--) shapes.push(wall(size, horizon, random));
  for (let count = Math.floor(random() * 4); count > 0; count--) shapes.push(tree(size, horizon, random));
  for (let count = Math.floor(random() * 3); count > 0; count--) {
    const x = random() * size;
    shapes.push(
      `<rect x="${x}" y="${horizon * random() * 0.5}" width="${1 + random() * 2}" height="${horizon}" fill="${css(pick(WALLS, random))}"/>`,
    );
  }
  for (let count = Math.floor(random() * 3); count > 0; count--) shapes.push(parkedCar(size, horizon, random));
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    const [x, y] = [random() * size, horizon + random() * (size - horizon)];
    shapes.push(
      `<path d="M${x} ${y} l${size * 0.3} ${size * 0.1 * (random() - 0.5)} l0 2 l${-size * 0.3} 0 z" fill="rgb(220,220,210)" fill-opacity="${0.2 + random() * 0.5}"/>`,
    );
  }
  return shapes.join('');
}

function wall(size: number, horizon: number, random: () => number): string {
  const [x, width] = [random() * size - size * 0.2, size * (0.2 + random() * 0.5)];
  const top = horizon * random() * 0.8;
  const colour = blend(pick(WALLS, random), [random() * 255, random() * 255, random() * 255], 0.15);
  const step = 5 + random() * 10;
  const glass = css(blend(colour, [30, 40, 60], 0.5));
  let panes = '';
  if (random() < 0.6) {
    for (let px = x + 2; px + step * 0.6 < x + width; px += step) {
      for (let py = top + 3; py + step * 0.6 < horizon; py += step * 1.2)
        panes += `M${px} ${py}h${step * 0.55}v${step * 0.7}h${-step * 0.55}z`;
    }
  }
  return `<rect x="${x}" y="${top}" width="${width}" height="${horizon - top + 2}" fill="${css(colour)}"/><path d="${panes}" fill="${glass}"/>`;
}

function tree(size: number, horizon: number, random: () => number): string {
  const [x, y, r] = [random() * size, horizon * (0.3 + random() * 0.6), size * (0.05 + random() * 0.12)];
  const green = css([40 + random() * 50, 80 + random() * 60, 40 + random() * 30]);
  return `<rect x="${x - 1}" y="${y}" width="3" height="${horizon - y + 3}" fill="rgb(84,66,50)"/><circle cx="${x}" cy="${y}" r="${r}" fill="${green}"/><circle cx="${x + r * 0.6}" cy="${y + r * 0.3}" r="${r * 0.7}" fill="${green}" fill-opacity="0.8"/>`;
}

/** A car far behind, without a label: a car-like shape must not be enough for a class. */
function parkedCar(size: number, horizon: number, random: () => number): string {
  const [x, width] = [random() * size - size * 0.15, size * (0.16 + random() * 0.16)];
  const high = width * 0.22;
  const y = horizon - high * 0.6 + random() * high;
  const colour = css([60 + random() * 170, 60 + random() * 170, 60 + random() * 170]);
  const wheel = (at: number): string =>
    `<circle cx="${x + width * at}" cy="${y + high}" r="${high * 0.36}" fill="rgb(32,32,34)"/>`;
  return `<path d="M${x} ${y + high} v${-high * 0.7} h${width * 0.18} l${width * 0.14} ${-high * 0.7} h${width * 0.36} l${width * 0.14} ${high * 0.7} h${width * 0.18} v${high * 0.7} z" fill="${colour}"/>${wheel(0.2)}${wheel(0.8)}`;
}

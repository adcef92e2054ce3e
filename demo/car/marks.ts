import type { Tags } from '../../domain/tags.js';
import { blend, css, type Rgb } from './colour.js';
import type { Bounds } from './paint.js';

const within = ({ left, right, top, bottom }: Bounds, random: () => number): [number, number] => [
  left + random() * (right - left),
  top + random() * (bottom - top),
];

/** Streaks of light and mirrored surroundings on a glossy body, as SVG to be clipped to the car. */
export function reflectionMarks(bounds: Bounds, random: () => number): string {
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const marks: string[] = [];
  for (let count = 5 + Math.floor(random() * 4); count > 0; count--) {
    const [x, y] = within(bounds, random);
    const [w, h, lean] = [
      width * (0.02 + random() * 0.06),
      height * (0.2 + random() * 0.5),
      width * (random() - 0.5) * 0.25,
    ];
    marks.push(`<path d="M${x} ${y}h${w}l${lean} ${h}h${-w}z" fill="white" fill-opacity="${0.25 + random() * 0.4}"/>`);
  }
  for (let count = 3 + Math.floor(random() * 3); count > 0; count--) {
    const [x, y] = within(bounds, random);
    const dark = random() < 0.5 ? css([40, 60, 40]) : css([200, 214, 230]);
    marks.push(
      `<ellipse cx="${x}" cy="${y}" rx="${width * (0.04 + random() * 0.1)}" ry="${height * (0.04 + random() * 0.08)}" fill="${dark}" fill-opacity="${0.25 + random() * 0.3}"/>`,
    );
  }
  return marks.join('');
}

const COUNTS = {
  none: { scratches: 0, dents: 0, tears: 0 },
  0: { scratches: 3, dents: 0, tears: 0 },
  1: { scratches: 4, dents: 3, tears: 0 },
  2: { scratches: 5, dents: 4, tears: 4 },
} as const;

/** Scratches, dents and torn sheet metal by damage level, as SVG to be clipped to the car. */
export function damageMarks(damage: Tags['damage'], bounds: Bounds, paint: Rgb, random: () => number): string {
  const { scratches, dents, tears } = COUNTS[damage ?? 'none'];
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const marks: string[] = [];
  for (let count = 0; count < scratches; count++) {
    const [x, y] = within(bounds, random);
    marks.push(
      `<path d="M${x} ${y}l${width * (random() - 0.5) * 0.3} ${height * (random() - 0.5) * 0.15}" stroke="${css(blend(paint, random() < 0.5 ? [255, 255, 255] : [40, 36, 34], 0.7))}" stroke-width="${0.6 + random()}"/>`,
    );
  }
  for (let count = 0; count < dents; count++) {
    const [x, y] = within(bounds, random);
    const r = width * (0.02 + random() * 0.035);
    marks.push(
      `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * 0.7}" fill="black" fill-opacity="0.4"/><ellipse cx="${x - r * 0.3}" cy="${y - r * 0.3}" rx="${r * 0.6}" ry="${r * 0.3}" fill="white" fill-opacity="0.3"/>`,
    );
  }
  for (let count = 0; count < tears; count++) {
    const [x, y] = within(bounds, random);
    const edge = Array.from({ length: 7 }, (_, corner) => {
      const r = width * (0.02 + random() * 0.05);
      return `${x + r * Math.cos((corner / 7) * 2 * Math.PI)} ${y + r * Math.sin((corner / 7) * 2 * Math.PI)}`;
    });
    marks.push(`<path d="M${edge.join('L')}Z" fill="rgb(36,33,32)" fill-opacity="0.75"/>`);
  }
  return marks.join('');
}

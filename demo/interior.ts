import { blend, css, type Rgb } from './car/colour.js';

/** A dashboard as SVG: every real pool has pictures from inside a car, which must never be drawn for training. */
export function interiorScene(size: number, random: () => number): string {
  const tone: Rgb = [40 + random() * 70, 38 + random() * 60, 36 + random() * 50];
  const [cx, cy, r] = [size * (0.25 + random() * 0.15), size * (0.66 + random() * 0.1), size * (0.2 + random() * 0.06)];
  const dials = [0.2, 0.4].map(
    (at) =>
      `<circle cx="${size * at}" cy="${size * 0.46}" r="${size * 0.07}" fill="rgb(18,18,22)" stroke="rgb(190,190,190)"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" fill="${css(tone)}"/><rect width="${size}" height="${size * 0.34}" fill="${css([150 + random() * 80, 180, 210])}"/><path d="M0 ${size * 0.36} Q${size / 2} ${size * 0.28} ${size} ${size * 0.36} V${size * 0.56} H0 Z" fill="${css(blend(tone, [0, 0, 0], 0.4))}"/>${dials.join('')}<rect x="${size * 0.6}" y="${size * 0.42}" width="${size * 0.26}" height="${size * 0.18}" rx="3" fill="rgb(30,60,90)"/><circle cx="${cx}" cy="${cy}" r="${r}" fill="none" stroke="rgb(22,22,24)" stroke-width="${size * 0.05}"/><path d="M${cx - r} ${cy} H${cx + r} M${cx} ${cy} V${cy + r}" stroke="rgb(22,22,24)" stroke-width="${size * 0.04}"/></svg>`;
}

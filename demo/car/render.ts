import sharp from 'sharp';
import { seededRandom } from '../../domain/base/random.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { type ClassFacts, type ExactMask, exactMask } from './mask.js';
import { drawScene } from './paint.js';
import { buildScene, type SceneSpec } from './scene.js';

const FACTS = new Map(
  carParts34.classes.map(({ name, angles }, at): [string, ClassFacts] => [
    name,
    { value: at + 1, seenFrom: (angle) => angles === null || (angle >= angles[0] && angle <= angles[1]) },
  ]),
);

function factsOf(name: string): ClassFacts {
  const facts = FACTS.get(name);
  if (facts === undefined) throw new Error(`the car model has a part \`${name}\` that the taxonomy lacks`);
  return facts;
}

export interface Rendered {
  jpeg: Buffer;
  mask: ExactMask;
}

/** Only the mask; cheap. */
export const renderMask = (spec: SceneSpec, size: number): ExactMask => exactMask(buildScene(spec, size), factsOf);

/** Picture (JPEG) and mask of one scene, `size` pixels square. The same spec gives the same bytes. */
export async function render(spec: SceneSpec, size: number): Promise<Rendered> {
  const scene = buildScene(spec, size);
  const mask = exactMask(scene, factsOf);
  return { jpeg: await photograph(drawScene(scene, mask), spec.noise), mask };
}

const GRAIN = 7;

/** An SVG as a camera would see it: a little soft, with grain. */
export async function photograph(svg: string, noise: string): Promise<Buffer> {
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const random = seededRandom(noise, 'grain');
  for (let index = 0; index < data.length; index += 3) {
    const grain = (random() + random() - 1) * 2 * GRAIN;
    for (let channel = 0; channel < 3; channel++) {
      const value = (data[index + channel] ?? 0) + grain + (random() - 0.5) * GRAIN;
      data[index + channel] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}

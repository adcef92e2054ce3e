import { TAG_NAMES, type Tags } from './tags.js';

/** `angle 45 right, black, undamaged`: tags in the words that people use; unknown ones are left out. */
export function tagWords(tags: Partial<Tags>): string {
  // The side belongs to the angle: 45 degrees are seen from the left or from the right.
  const sided = tags.angle != null && (tags.orientation === 'left' || tags.orientation === 'right');
  return TAG_NAMES.flatMap((tag) => {
    if (tags[tag] == null || (sided && tag === 'orientation')) return [];
    return sided && tag === 'angle' ? `angle ${tags.angle} ${tags.orientation}` : WORDS[tag](tags);
  }).join(', ');
}

const WORDS: Record<keyof Tags, (tags: Partial<Tags>) => string> = {
  angle: ({ angle }) => `angle ${angle}`,
  vehicle: ({ vehicle }) => String(vehicle),
  damage: ({ damage }) => (damage === 'none' ? 'undamaged' : `damage ${damage}`),
  black: ({ black }) => (black ? 'black' : 'not black'),
  reflection: ({ reflection }) => (reflection ? 'reflective' : 'not reflective'),
  zoomed: ({ zoomed }) => (zoomed ? 'zoomed' : 'not zoomed'),
  orientation: ({ orientation }) => (orientation === 'none' ? 'neither side' : `${orientation} side`),
  region: ({ region }) => String(region),
};

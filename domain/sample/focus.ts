import { PartloopError } from '../base/errors.js';
import { nearest } from '../base/nearest.js';
import { TAG_NAMES, type Tags } from '../tags.js';
import { tagWords } from '../tagWords.js';
import type { Taxonomy } from '../taxonomy.js';
import type { FocusConfig } from './config.js';

/** Images that matter more than others. */
export interface Focus {
  factor: number;
  /** `black, reflective, left_mirror`. */
  words: string;
  has(tags: Tags, classes: readonly number[]): boolean;
}

export function focusesOf(config: readonly FocusConfig[], classNames: readonly string[]): Focus[] {
  return config.map(({ tags, classes, factor }) => {
    const wanted = TAG_NAMES.flatMap((tag) => {
      const value = tag === 'region' ? undefined : tags[tag];
      return value === undefined ? [] : [{ tag, value }];
    });
    const labels = classes.map((name) => classNames.indexOf(name));
    return {
      factor,
      words: [tagWords(tags), ...classes].filter((words) => words !== '').join(', '),
      has: (own, shown) =>
        wanted.every(({ tag, value }) => own[tag] === value) && labels.every((label) => shown.includes(label)),
    };
  });
}

/** Each matching focus adds its factor less 1: factors of 3 and 2 make 4. */
export const boostOf = (focuses: readonly Focus[], matching: readonly number[]): number =>
  matching.reduce((boost, at) => boost + (focuses[at]?.factor ?? 1) - 1, 1);

/**
 * Refuses classes that the taxonomy of the pool does not have.
 *
 * @throws PartloopError `input-invalid` naming the setting and the classes that there are
 */
export function assertClassesOfFocus(focus: readonly FocusConfig[], { name, classes }: Taxonomy): void {
  const names = classes.map((entry) => entry.name);
  for (const [at, { classes: wanted }] of focus.entries()) {
    const unknown = wanted.find((one) => !names.includes(one));
    if (unknown === undefined) continue;
    const near = nearest(unknown, names);
    throw new PartloopError(
      'input-invalid',
      `field \`sample.focus.${at}.classes\`: taxonomy ${name} has no class \`${unknown}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
      { hint: `The classes are ${names.join(', ')}.` },
    );
  }
}

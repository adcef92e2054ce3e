import { PartloopError } from '../../domain/base/errors.js';
import { meaningOf, plainClassName } from '../../domain/taxonomies/categoryNames.js';
import { BACKGROUND, IGNORE_INDEX, labelNames, type Taxonomy } from '../../domain/taxonomy.js';

/** Rules for categories of a file that the taxonomy does not have. */
export interface ClassRules {
  /** Category name -> class of the taxonomy, `background` or `ignored`. */
  map: ReadonlyMap<string, string>;
  /** Categories whose annotations are left out. */
  leaveOut: ReadonlySet<string>;
  /** For many files: a rule may name a category that one of them lacks. */
  isForMany?: boolean;
}

export const NO_CLASS_RULES: ClassRules = { map: new Map(), leaveOut: new Set() };

/** A label value; null: its annotations are left out; undefined: the taxonomy has no such class. */
export type MatchedClass = number | null | undefined;

/**
 * The label value of each category of a file.
 *
 * @throws PartloopError `input-invalid` for rules that name unknown categories or classes
 */
export function matchClasses(
  categories: readonly string[],
  taxonomy: Taxonomy,
  rules: ClassRules,
  origin: string,
): Map<string, MatchedClass> {
  const names = labelNames(taxonomy);
  const values = new Map<string, number>(names.map((name, value) => [name, value]));
  const targets = new Map([...values, ['ignored', IGNORE_INDEX]]);
  const map = new Map([...rules.map].map(([from, to]) => [plainClassName(from), plainClassName(to)]));
  const leaveOut = new Set([...rules.leaveOut].map(plainClassName));
  const there = new Set(categories.map(plainClassName));
  for (const name of [...map.keys(), ...leaveOut]) {
    if (!there.has(name) && rules.isForMany !== true)
      throw new PartloopError('input-invalid', `${origin} has no category ${name}: it has ${categories.join(', ')}`, {
        hint: 'Correct --class-map or --ignore-class.',
      });
  }
  for (const to of map.values()) {
    if (!targets.has(to))
      throw new PartloopError('input-invalid', `--class-map: taxonomy ${taxonomy.name} has no class ${to}`, {
        hint: `It has ${names.slice(1).join(', ')}; \`background\` and \`ignored\` are allowed too.`,
      });
  }
  return new Map(
    categories.map((category) => {
      const name = plainClassName(category);
      if (leaveOut.has(name)) return [category, null];
      const target = map.get(name);
      if (target !== undefined) return [category, targets.get(target)];
      const meaning = meaningOf(name);
      if (meaning === null) return [category, values.get(name)];
      return [category, meaning === 'ignored' ? IGNORE_INDEX : BACKGROUND];
    }),
  );
}

/** The reason for refusing a picture with an annotation of a class that the taxonomy does not have. */
export const unknownClass = (name: string, taxonomy: Taxonomy): string =>
  `category ${name} is not in taxonomy ${taxonomy.name}: name its class with --class-map "${name}=CLASS", or leave it out with --ignore-class "${name}"`;

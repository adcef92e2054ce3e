import { PartloopError } from '../base/errors.js';
import { type Taxonomy, type TaxonomyClass, taxonomySchema } from '../taxonomy.js';
import { meaningOf, plainClassName } from './categoryNames.js';
import { type SidePair, sidePairs } from './sides.js';

const MAX_CLASSES = 254;
const MAX_LETTERS = 64;
/** So many pieces of one class break no rule: a taxonomy that nobody wrote knows no number of parts. */
const ANY_NUMBER = 64;
const CLASS_NAME = /^[a-z0-9][a-z0-9_]{0,63}$/;
/** Names that class rules of an import give another meaning. */
const RESERVED: readonly string[] = ['background', 'ignored'];

/** A taxonomy of category names, and what became of each name. */
export interface MadeTaxonomy {
  taxonomy: Taxonomy;
  /** Class of each category by its plain name; also `background` and `ignored`. */
  classOf: ReadonlyMap<string, string>;
  /** Categories whose class has another name than case, blanks and dashes explain. */
  renamed: { category: string; class: string }[];
  /** Categories that have the class of an earlier one, since their names differ in case, blanks and dashes alone. */
  merged: { category: string; class: string }[];
  /** Pairs of categories that a mirrored picture swaps. */
  pairs: SidePair[];
  /** Categories that say `left` or `right` and have no partner. */
  unpaired: string[];
}

/**
 * A taxonomy from the names of categories, in their order: classes that say left and right mirror each other, and no
 * other rule is known. A name that no class may have becomes one that it may.
 *
 * @throws PartloopError `input-invalid` for more classes than a taxonomy has, and for no class
 */
export function taxonomyFromCategories(categories: readonly string[], name: string): MadeTaxonomy {
  const byPlain = new Map<string, string>();
  const merged: { category: string; plain: string }[] = [];
  const seen = new Set<string>();
  for (const category of categories) {
    const plain = plainClassName(category);
    if (!byPlain.has(plain)) byPlain.set(plain, category);
    else if (!seen.has(category)) merged.push({ category, plain });
    seen.add(category);
  }
  const parts = [...byPlain].filter(([plain]) => meaningOf(plain) === null);
  if (parts.length === 0)
    throw new PartloopError('input-invalid', 'the annotation file has no category but background', {
      hint: 'List the classes under `categories`, as COCO does.',
    });
  if (parts.length > MAX_CLASSES)
    throw new PartloopError(
      'input-invalid',
      `the annotation file has ${parts.length} categories, and a taxonomy at most ${MAX_CLASSES} classes`,
      { hint: 'Remove categories without annotations from the file, or merge some.' },
    );
  const classNames = namesOf(parts.map(([plain]) => plain));
  const { pairs, unpaired } = sidePairs(parts.map(([, category]) => category));
  const classOfCategory = new Map(parts.map(([, category], at) => [category, classNames[at] as string]));
  const partner = new Map(
    pairs.flatMap(({ left, right }) => [
      [left, right],
      [right, left],
    ]),
  );
  const classOf = new Map([...byPlain.keys()].map((plain) => [plain, meaningOf(plain) ?? '']));
  for (const [at, [plain]] of parts.entries()) classOf.set(plain, classNames[at] as string);
  return {
    taxonomy: taxonomySchema.parse({
      name,
      description: 'Made from the categories of an annotation file; only the mirror pairs are known.',
      classes: parts.map(([, category], at): TaxonomyClass => {
        const other = partner.get(category);
        return {
          ...{ name: classNames[at] as string, group: 'major', maxInstances: ANY_NUMBER },
          mirror: other === undefined ? null : (classOfCategory.get(other) ?? null),
          ...{ adjacent: [], angles: null, side: null, areaShare: null },
        };
      }),
    }),
    classOf,
    renamed: parts.flatMap(([plain, category], at) =>
      plain === classNames[at] ? [] : [{ category, class: classNames[at] as string }],
    ),
    merged: merged.map(({ category, plain }) => ({ category, class: classOf.get(plain) ?? '' })),
    pairs,
    unpaired,
  };
}

/** A class name for each plain name. Names that a class may have stay; the others keep their allowed letters. */
function namesOf(plain: readonly string[]): string[] {
  const isAllowed = (name: string): boolean => CLASS_NAME.test(name) && !RESERVED.includes(name);
  const taken = new Set([...RESERVED, ...plain.filter(isAllowed)]);
  return plain.map((name) => {
    if (isAllowed(name)) return name;
    const free = freeName(lettersOf(name), taken);
    taken.add(free);
    return free;
  });
}

const lettersOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MAX_LETTERS) || 'unnamed';

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const end = number === 1 ? '' : `_${number}`;
    const name = `${wanted.slice(0, MAX_LETTERS - end.length)}${end}`;
    if (!taken.has(name)) return name;
  }
}

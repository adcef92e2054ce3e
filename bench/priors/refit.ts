import { scanConfigSchema } from '../../domain/config.js';
import { calibrate } from '../../domain/scan/calibrate/calibrate.js';
import { learnClasses } from '../../domain/scan/calibrate/chunk/classes.js';
import { FAMILY_NAMES, type Family, FURTHER_KINDS } from '../../domain/scan/calibrate/families.js';
import { COLUMNS, IMAGE_COLUMNS } from '../../domain/scan/calibrate/features.js';
import { FAMILY_PRIORS, IMAGE_PRIOR, KIND_PRIORS, PRIORS, type Priors } from '../../domain/scan/calibrate/priors.js';
import type { Coefficients } from '../../domain/scan/calibrate/statistics/logistic.js';
import { FINDING_KINDS } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { AnalysedSet } from '../detect/scan.js';

export interface Slope {
  family: Family | 'image';
  column: string;
  present: number;
  /** Mean over the sets; null if no set had an example. */
  refit: number | null;
  /** Least and most over the sets. */
  range: readonly [number, number] | null;
}

/** By family: the coefficients that a set gives, in the order of `COLUMNS`; absent if it had no examples. */
export type Refit = Partial<Record<Family | 'image', readonly number[]>>;

const NOTHING_KNOWN: Priors = {
  families: Object.fromEntries(
    FAMILY_NAMES.map((family): [Family, Coefficients] => [family, PRIORS.families[family].map(() => 0)]),
  ) as Priors['families'],
  image: PRIORS.image.map(() => 0),
};

/**
 * The coefficients that a set of images gives by itself: the scan's own regressions, pulled towards 0 and to no prior.
 * Intercepts say little, since the log odds of each group take up what they leave.
 */
export function refit({ entries, classIou }: AnalysedSet, taxonomy: Taxonomy): Refit {
  const classes = learnClasses(entries, taxonomy);
  const config = scanConfigSchema.parse({});
  const { families, images } = calibrate(entries, taxonomy, classes, config, classIou, undefined, NOTHING_KNOWN);
  const own: Refit = { image: images.coefficients };
  // Without an example of it a family keeps the prior, which is 0 throughout.
  for (const family of FAMILY_NAMES)
    if (families[family].coefficients.some((value) => value !== 0)) own[family] = families[family].coefficients;
  return own;
}

/** Present and refitted slopes, one for each column that either of them uses. */
export function compareSlopes(refits: readonly Refit[]): Slope[] {
  const compared = (family: Family | 'image', names: readonly string[], present: Readonly<Record<string, number>>) =>
    names.map((column, at): Slope => {
      const found = refits.flatMap((one) => one[family]?.[at] ?? []);
      return {
        family,
        column,
        present: present[column] ?? 0,
        refit: found.length === 0 ? null : found.reduce((sum, value) => sum + value, 0) / found.length,
        range: found.length === 0 ? null : [Math.min(...found), Math.max(...found)],
      };
    });
  return [
    ...FAMILY_NAMES.flatMap((family) =>
      compared(family, [...COLUMNS.map(({ name }) => name), ...FURTHER_KINDS[family]], {
        ...FAMILY_PRIORS[family].slopes,
        ...KIND_PRIORS,
      }),
    ),
    ...compared(
      'image',
      IMAGE_COLUMNS.map(({ name }) => name),
      IMAGE_PRIOR.slopes,
    ),
  ].filter(({ present, refit: value }) => present !== 0 || (value !== null && value !== 0));
}

const isKind = (column: string): boolean => FINDING_KINDS.some((kind) => kind === column);
const written = ({ column, refit: value }: Slope): string => `${column}: ${Number((value ?? 0).toFixed(2))}`;

/** The refitted slopes as `domain/scan/calibrate/priors.ts` spells them. */
export function asPriors(slopes: readonly Slope[], source: { data: string; command: string; date: string }): string {
  const families = [...new Set(slopes.map(({ family }) => family))];
  const lines = families.flatMap((family) => {
    const known = slopes.filter((slope) => slope.family === family && slope.refit !== null);
    const own = known.filter(({ column }) => !isKind(column));
    return known.length === 0 ? [] : [`${family}: { source, slopes: { ${own.map(written).join(', ')} } },`];
  });
  const kinds = slopes.filter(({ column, refit: value }) => isKind(column) && value !== null);
  if (kinds.length > 0) lines.push(`kinds: { ${kinds.map(written).join(', ')} },`);
  return [`const source: Source = ${JSON.stringify({ kind: 'fitted', ...source })};`, ...lines].join('\n');
}

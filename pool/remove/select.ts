import { type FoundImage, imageFinder } from '../../domain/images/imageFinder.js';
import { type ImageTest, parseCondition } from '../../domain/images/indexCondition.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { PoolHistory } from '../../storage/poolHistory.js';

/** Which images of a pool a person means; conditions hold all at once, and narrow the named images down. */
export interface Choice {
  /** Ids or names; null where only conditions choose. */
  names: readonly string[] | null;
  /** `vehicleId=v1` and the like. */
  conditions: readonly string[];
}

export interface Selection {
  /** In the pool, by ascending id. */
  present: IndexRow[];
  /** Removed from it earlier. */
  removed: IndexRow[];
  /** Names that the pool does not know. */
  unknown: string[];
  /** Names that several images have, with the ids of those. */
  ambiguous: { name: string; ids: string[] }[];
}

/**
 * The images that are meant. A name that an image in the pool has stands for that image, whatever removed ones are
 * called.
 *
 * @throws PartloopError `input-invalid` for a condition that is none
 */
export function selectImages(history: PoolHistory, taxonomy: Taxonomy, choice: Choice): Selection {
  const tests = choice.conditions.map((text) => parseCondition(text, taxonomy));
  const isMeant = (row: IndexRow): boolean => passes(tests, history, row);
  const selection: Selection = { present: [], removed: [], unknown: [], ambiguous: [] };
  if (choice.names === null) {
    selection.present = history.images().filter(isMeant);
    selection.removed = [...history.removed()].filter(isMeant).sort(byId);
    return selection;
  }
  const chosen = new Map<string, IndexRow>();
  const findPresent = imageFinder(history.images());
  const findRemoved = imageFinder(history.removed());
  for (const name of choice.names) {
    const found = find(name, findPresent, findRemoved);
    if (found === null) selection.unknown.push(name);
    else if ('image' in found) chosen.set(found.image.imageId, found.image);
    else selection.ambiguous.push({ name, ids: found.several.map(({ imageId }) => imageId) });
  }
  const meant = [...chosen.values()].filter(isMeant).sort(byId);
  selection.present = meant.filter(({ removedAt }) => removedAt === null);
  selection.removed = meant.filter(({ removedAt }) => removedAt !== null);
  return selection;
}

/** Blanks around a name are the file's, unless an image is called so. */
function find(name: string, ...finders: ((name: string) => FoundImage<IndexRow>)[]): FoundImage<IndexRow> {
  for (const spelling of new Set([name, name.trim()]))
    for (const finder of finders) {
      const found = finder(spelling);
      if (found !== null) return found;
    }
  return null;
}

/** Conditions see the image as it is now, but for the time at which it first came in. */
function passes(tests: readonly ImageTest[], history: PoolHistory, row: IndexRow): boolean {
  if (tests.length === 0) return true;
  const { ingestedAt } = history.revisions(row.imageId)[0] ?? row;
  return tests.every((test) => test({ ...row, ingestedAt }));
}

const byId = (a: IndexRow, b: IndexRow): number => (a.imageId < b.imageId ? -1 : a.imageId > b.imageId ? 1 : 0);

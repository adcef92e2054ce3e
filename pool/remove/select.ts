import { type FoundImage, imageFinder, mayBeNamed } from '../../domain/images/imageFinder.js';
import { type ImageTest, parseCondition } from '../../domain/images/indexCondition.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { byId, type PoolHistory } from '../../storage/pool/poolHistory.js';

/** A person's choice of images of a pool; all conditions must hold, and they narrow down the named images. */
export interface Choice {
  /** Ids or names; null if only conditions choose. */
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
 * The chosen images. A name of an image in the pool stands for that image, whatever the names of removed ones.
 *
 * @throws PartloopError `input-invalid` for an invalid condition
 */
export function selectImages(history: PoolHistory, taxonomy: Taxonomy, choice: Choice): Selection {
  const tests = choice.conditions.map((text) => parseCondition(text, taxonomy));
  const isMeant = (row: IndexRow): boolean => passes(tests, history, row);
  const selection: Selection = { present: [], removed: [], unknown: [], ambiguous: [] };
  if (choice.names === null) {
    selection.present = history.images(isMeant);
    selection.removed = [...history.removed()].filter(isMeant).sort(byId);
    return selection;
  }
  const chosen = new Map<string, IndexRow>();
  const named = history.named(mayBeNamed(choice.names.flatMap(spellings)));
  const findPresent = imageFinder(named.filter(({ removedAt }) => removedAt === null));
  const findRemoved = imageFinder(named.filter(({ removedAt }) => removedAt !== null));
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

/** Blanks around a name belong to the file, unless an image has them in its name. */
const spellings = (name: string): string[] => [...new Set([name, name.trim()])];

function find(name: string, ...finders: ((name: string) => FoundImage<IndexRow>)[]): FoundImage<IndexRow> {
  for (const spelling of spellings(name))
    for (const finder of finders) {
      const found = finder(spelling);
      if (found !== null) return found;
    }
  return null;
}

/** Conditions apply to the image's present state, except for the time of its first import. */
function passes(tests: readonly ImageTest[], history: PoolHistory, row: IndexRow): boolean {
  if (tests.length === 0) return true;
  const ingestedAt = history.cameInAt(row);
  return tests.every((test) => test({ ...row, ingestedAt }));
}

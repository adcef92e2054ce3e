import { PartloopError } from '../domain/base/errors.js';
import { imageFinder, mayBeNamed } from '../domain/images/imageFinder.js';
import type { IndexRow } from '../domain/tables.js';
import type { ImportNotice } from '../formats/reading/importItem.js';
import type { TagFile } from '../formats/reading/tagFile.js';
import type { Pool } from '../storage/pool/pool.js';
import type { PoolHistory } from '../storage/pool/poolHistory.js';
import { type Decision, decide } from './import/decide.js';
import { testLeakNotices } from './import/testLeaks.js';

export interface TagReport {
  version: number;
  updated: number;
  /** Nothing new is given for them. */
  known: number;
  refused: { name: string; reason: string }[];
  movedToTest: string[];
  /** What training images share with the test set by these facts: no loop draws them. */
  notices: ImportNotice[];
}

/**
 * Set tags, vehicle, split and source of images in the pool. Images are named by their id, their name in the pool, or
 * the last part of it if no other image has that.
 *
 * @param relabel the file's facts count, even if they were given before and changed since
 */
export async function tagImages(
  pool: Pool,
  tags: TagFile,
  { relabel, now }: { relabel: boolean; now: Date },
): Promise<TagReport> {
  if ((await pool.latestVersion()) === 0)
    throw new PartloopError('not-found', `pool \`${pool.name}\` has no images`, { hint: 'Import some first.' });
  let report: Counted = { updated: 0, known: 0, refused: [], movedToTest: [] };
  const { version, rows: changed } = await pool.append((history) => {
    report = { updated: 0, known: 0, refused: [], movedToTest: [] };
    const find = taggable(history, tags.keys());
    const rows = new Map<string, IndexRow>();
    for (const [name, facts] of tags) {
      const found = find(name);
      if (typeof found === 'string') {
        report.refused.push({ name, reason: found });
        continue;
      }
      if (rows.has(found.imageId)) {
        report.refused.push({ name, reason: `the file names its image twice, also as ${found.fileName}` });
        continue;
      }
      const row = { ...found, ingestedAt: now.toISOString() };
      const decision = decide(history, { row, facts }, { test: false, relabel, restore: false });
      count(report, name, decision);
      if (decision.row !== null) rows.set(found.imageId, decision.row);
    }
    return [...rows.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  });
  return { version, ...report, notices: await leaks(pool, version, changed) };
}

type Counted = Omit<TagReport, 'version' | 'notices'>;

/** A vehicle or a split that is new may join training images to the test set. */
async function leaks(pool: Pool, version: number, changed: readonly IndexRow[]): Promise<ImportNotice[]> {
  if (changed.length === 0) return [];
  const index = await pool.readDrawColumns(version);
  const history = await pool.history();
  const fileNameOf = (imageId: string): string => history.latest(imageId)?.fileName ?? imageId;
  return testLeakNotices({
    ...{ index, imported: changed.map(({ imageId }) => imageId), fileNameOf },
    source: 'of this file',
  });
}

function count(report: Counted, name: string, decision: Decision): void {
  if (decision.outcome === 'refused') report.refused.push({ name, reason: decision.reason });
  else if (decision.row === null) report.known += 1;
  else {
    report.updated += 1;
    if (decision.movedToTest) report.movedToTest.push(name);
  }
}

/** The image of a name, or the reason why there is none. */
function taggable(history: PoolHistory, names: Iterable<string>): (name: string) => IndexRow | string {
  const find = imageFinder(history.named(mayBeNamed(names)).filter(({ removedAt }) => removedAt === null));
  return (name) => {
    const found = find(name);
    if (found === null) {
      const isRemoved = (history.latest(name)?.removedAt ?? null) !== null;
      return isRemoved ? 'it was removed from the pool' : 'the pool has no such image';
    }
    if ('image' in found) return found.image;
    const { several } = found;
    const ids = several.slice(0, 4).map(({ imageId }) => imageId.slice(0, 12));
    return `${several.length} images have this name: name them by id (${ids.join(', ')}${several.length > 4 ? ', …' : ''})`;
  };
}

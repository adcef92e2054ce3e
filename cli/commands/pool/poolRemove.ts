import { join } from 'node:path';
import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { FAILURES } from '../../../domain/base/failures/failure.js';
import { readImageList } from '../../../pool/remove/imageList.js';
import { planRemoval, type RemovalPlan } from '../../../pool/remove/planRemoval.js';
import { purgeBytes } from '../../../pool/remove/purge.js';
import { listRemovals, removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { type Choice, selectImages } from '../../../pool/remove/select.js';
import { openPool } from '../../../storage/pool/pool.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { OBJECTS, withCounter } from '../../terminal/progress.js';
import { printTraces, sayNames, sayPurge } from './removalTexts.js';

interface Chosen {
  images?: string;
  list?: string;
  image: string[];
  where: string[];
}

interface RemoveFlags extends Chosen {
  bytes?: true;
  yes?: true;
  json?: true;
}

interface RestoreFlags extends Chosen {
  removal?: string;
  json?: true;
}

/** `partloop pool remove|restore`. */
export function registerRemove(pool: Command): void {
  choosing(
    pool
      .command('remove')
      .description('Remove images from a pool; without --yes, only show what that changes')
      .argument('<pool>', 'Name of the pool', poolName),
  )
    .option(
      '--where <condition>',
      'Images with split=val, vehicleId=v1, fileName~front/*, …; if repeated, all must hold',
      more,
      [],
    )
    .option('--bytes', 'Delete pictures and labels for good, with every copy, as a deletion request asks')
    .option('--yes', 'Remove the images; if omitted, only show what that changes')
    .option('--json', 'Print one JSON object on stdout')
    .action(remove);

  choosing(
    pool
      .command('restore')
      .description('Take removed images back as they were; without a choice, list the removals')
      .argument('<pool>', 'Name of the pool', poolName),
  )
    .option('--where <condition>', 'Removed images with split=val, vehicleId=v1, …', more, [])
    .option('--removal <id>', 'Every image of this removal')
    .option('--json', 'Print one JSON object on stdout')
    .action(restore);
}

function choosing(command: Command): Command {
  return command
    .option(
      '--images <file>',
      'Ids or names, one per line; or a CSV or JSON file with them; or the s3:// URI of a list that a step wrote',
    )
    .option('--list <name>', 'Which list of the JSON file, if it has several')
    .option('--image <id or name>', 'One image; may be repeated', more, []);
}

const more = (value: string, before: string[]): string[] => [...before, value];

async function remove(name: string, flags: RemoveFlags): Promise<void> {
  const { bytes = false, yes = false, json } = flags;
  const choice = await choiceOf(flags);
  if (choice === null)
    throw new PartloopError('input-invalid', 'no images are chosen', {
      hint: 'Choose with --images FILE, --image ID or --where CONDITION.',
    });
  const { store, env } = await openEnvironmentStore();
  const pool = await openPool(store, name);
  const plan = await withCounter('look for them', OBJECTS, (onProgress) =>
    planRemoval(store, pool, choice, { bytes, onProgress }),
  );
  if (!json) tellPlan(plan, bytes, env.home);
  const { imageIds } = plan;
  const { rejected, labelCopies } = plan.traces;
  const found = imageIds.length + rejected.length;
  if (found + plan.removedBefore === 0) process.exitCode = FAILURES['data-invalid'].exitCode;
  if (!yes || found === 0) {
    if (json) printJson({ ...plan, done: false });
    else if (found > 0) say(`Nothing is done yet: the same command with --yes ${bytes ? 'deletes' : 'removes'} them.`);
    return;
  }
  const removed = await removeImages(pool, imageIds, { purge: bytes, now: new Date() });
  const purge = bytes
    ? await withCounter('delete', OBJECTS, (onProgress) =>
        purgeBytes(store, pool, {
          imageIds,
          labelCopies,
          rejected,
          cacheFolder: join(env.home, 'cache'),
          onProgress,
        }),
      )
    : null;
  if (purge !== null && purge.failed.length > 0) process.exitCode = FAILURES['store-unavailable'].exitCode;
  if (json) return printJson({ ...plan, done: true, ...removed, purge });
  say(`pool ${name}, version ${removed.version}: ${counted(removed.images, 'image', 'images')} removed`);
  if (removed.removal !== null) say(`  \`partloop pool restore ${name} --removal ${removed.removal}\` takes them back`);
  if (purge !== null) sayPurge(name, purge);
}

async function restore(name: string, flags: RestoreFlags): Promise<void> {
  const { removal, json } = flags;
  const choice = await choiceOf(flags);
  const { store } = await openEnvironmentStore();
  const pool = await openPool(store, name);
  const history = await pool.history();
  if (choice === null && removal === undefined) {
    const listed = listRemovals(history.removed());
    if (json) return printJson({ pool: name, ...listed });
    if (listed.removals.length === 0) say(`pool ${name} has no removed images that could come back`);
    else printTable(listed.removals.map((record) => ({ ...record })));
    if (listed.purged > 0)
      say(
        `the bytes of ${counted(listed.purged, 'more image', 'more images')} are deleted: only an import with --restore brings them back`,
      );
    return;
  }
  const selection = selectImages(history, pool.taxonomy, choice ?? { names: null, conditions: [] });
  const meant = selection.removed.filter(({ changeId }) => removal === undefined || changeId === removal);
  if (removal !== undefined && meant.length === 0)
    throw new PartloopError('not-found', `pool \`${name}\` has no images out by removal \`${removal}\``, {
      hint: `\`partloop pool restore ${name}\` lists what was removed.`,
    });
  const imageIds = meant.map(({ imageId }) => imageId);
  const restored = await restoreImages(pool, imageIds, new Date());
  const { present, unknown, ambiguous } = selection;
  const known = removal === undefined && choice?.names != null ? present.length : 0;
  if (restored.images + known === 0) process.exitCode = FAILURES['data-invalid'].exitCode;
  if (json) return printJson({ pool: name, ...restored, known, unknown, ambiguous });
  say(
    `pool ${name}, version ${restored.version}: ${counted(restored.images, 'image is', 'images are')} back` +
      `${known > 0 ? `, ${counted(known, 'was', 'were')} never removed` : ''}`,
  );
  sayNames(
    'whose bytes are deleted: import them again with --restore',
    restored.purged.map(({ fileName }) => fileName),
  );
  sayNames('unknown to the pool', unknown);
  for (const { name: ambiguousName, ids } of ambiguous) say(`  ${ambiguousName} is the name of ${ids.join(', ')}`);
}

async function choiceOf({ images, list, image, where }: Chosen): Promise<Choice | null> {
  const fromStore = async (uri: string): Promise<Uint8Array> =>
    (await (await openEnvironmentStore()).store.get(uri)).body;
  const listed = images === undefined ? [] : await readImageList(images, list, fromStore);
  const isNamed = images !== undefined || image.length > 0;
  if (!isNamed && where.length === 0) return null;
  return { names: isNamed ? [...new Set([...listed, ...image])] : null, conditions: where };
}

function tellPlan(plan: RemovalPlan, bytes: boolean, home: string): void {
  const { pool, version, imageIds, splits, corrected, answers, removedBefore, purgedBefore, unknown, ambiguous } = plan;
  const bySplit = Object.entries(splits).flatMap(([split, count]) => (count > 0 ? [`${count} ${split}`] : []));
  say(
    `pool ${pool}, version ${version}: ${counted(imageIds.length, 'image is', 'images are')} chosen${bySplit.length > 0 ? ` (${bySplit.join(', ')})` : ''}`,
  );
  if (corrected > 0) say(`  ${counted(corrected, 'has', 'have')} a label that a reviewer corrected`);
  if (answers > 0) say(`  ${counted(answers, 'answer of a reviewer is', 'answers of reviewers are')} about them`);
  if (removedBefore > 0)
    say(
      `  ${counted(removedBefore, 'was', 'were')} removed before${purgedBefore > 0 ? `, ${purgedBefore} of them with their bytes` : ''}`,
    );
  sayNames('unknown to the pool', unknown);
  for (const { name, ids } of ambiguous)
    say(`  left out: ${name} is the name of ${ids.join(', ')}; choose one by its id`);
  if (imageIds.length + plan.traces.rejected.length > 0) printTraces(plan, bytes, home);
}

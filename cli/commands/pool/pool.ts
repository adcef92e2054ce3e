import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { FAILURES } from '../../../domain/base/failures/failure.js';
import { poolDefaultsProblem } from '../../../domain/settings/loopConfig.js';
import type { IndexRow } from '../../../domain/tables.js';
import { TAG_NAMES } from '../../../domain/tags.js';
import { labelNames } from '../../../domain/taxonomy.js';
import { readTagFile } from '../../../formats/reading/tagFile.js';
import { changeRules } from '../../../pool/import/preparePool.js';
import { groupRefusals } from '../../../pool/import/refusals.js';
import { type TagReport, tagImages } from '../../../pool/tagImages.js';
import type { CountedFacts, PoolCounts } from '../../../storage/pool/countImages.js';
import { listPools, openPool, type Pool } from '../../../storage/pool/pool.js';
import { openEnvironmentStore } from '../../environment.js';
import { name as poolName } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { loadTaxonomy } from '../import.js';
import { registerCertify } from './poolCertify.js';
import { registerDelete } from './poolDelete.js';
import { registerExport } from './poolExport.js';
import { registerRemove } from './poolRemove.js';

/** `partloop pool list|stats|certify|taxonomy|rules|tag|export|remove|restore|delete`. */
export function register(program: Command): void {
  const pool = program.command('pool').description('Show, change and export pools, their taxonomies and their images');

  registerRemove(pool);
  registerDelete(pool);
  registerList(pool);
  registerStats(pool);
  registerCertify(pool);
  registerTaxonomy(pool);
  registerRules(pool);
  registerTag(pool);
  registerExport(pool);
}

function registerList(pool: Command): void {
  pool
    .command('list')
    .description('List all pools')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const pools = await listPools(store);
      if (json) printJson({ pools });
      else if (pools.length === 0) say('No pool yet; `partloop import` makes one.');
      else printTable(pools.map((name) => ({ pool: name })));
    });
}

function registerStats(pool: Command): void {
  pool
    .command('stats')
    .description('Images by split, class and tag, and classes by split')
    .argument('<name>', 'Name of the pool', poolName)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const stats = await statsOf(await openPool(store, name));
      if (json) printJson({ ...stats, unlabelled: stats.unlabelled.count });
      else tellStats(stats);
    });
}

type Stats = Awaited<ReturnType<typeof statsOf>>;

/** A pool in numbers. */
async function statsOf(pool: Pool) {
  const version = await pool.latestVersion();
  const { images, vehicles, groups, unlabelled } = await pool.countImages(version);
  const classes = labelNames(pool.taxonomy)
    .slice(1)
    .map((className, index) => {
      const showing = groups.filter((group) => group.classes.includes(index + 1));
      const of = (split: IndexRow['split']): number => imagesIn(showing.filter(({ facts }) => facts.split === split));
      return { class: className, images: imagesIn(showing), train: of('train'), val: of('val'), test: of('test') };
    });
  return {
    ...{ pool: pool.name, version, images },
    splits: countBy(groups, ({ split }) => split),
    ...{ vehicles, unlabelled, taxonomy: pool.taxonomy.name, classes },
    tags: TAG_NAMES.map((tag) => ({ tag, values: countBy(groups, (facts) => String(facts[tag] ?? 'unknown')) })),
    defaults: pool.defaults,
    defaultsProblem: poolDefaultsProblem(pool.name, pool.defaults),
  };
}

const imagesIn = (groups: PoolCounts['groups']): number => groups.reduce((sum, { images }) => sum + images, 0);

function tellStats({ pool, version, images, splits, vehicles, unlabelled, taxonomy, ...more }: Stats): void {
  say(
    `pool ${pool}, version ${version}: ${counted(images, 'image', 'images')} (${describe(splits)}), ` +
      `${counted(vehicles, 'vehicle', 'vehicles')}, taxonomy ${taxonomy}`,
  );
  const { count, examples } = unlabelled;
  if (count > 0) {
    const others = count > examples.length ? ', …' : '';
    say(`${counted(count, 'image has', 'images have')} no labelled pixel: ${examples.join(', ')}${others}`);
  }
  say('Images that show a class, in all and by split:');
  printTable(more.classes);
  printTable(more.tags.map(({ tag, values }) => ({ tag, values: describe(values) })));
  if (more.defaultsProblem !== null) say(`Loops over this pool cannot start: ${more.defaultsProblem}`);
}

function registerTaxonomy(pool: Command): void {
  pool
    .command('taxonomy')
    .description('Print a taxonomy as JSON, to use or to start from')
    .argument('<name or file>')
    .action(async (named: string) => printJson(await loadTaxonomy(named)));
}

function registerRules(pool: Command): void {
  pool
    .command('rules')
    .description(
      'Give a pool the rules of a taxonomy with the same classes: mirror pairs, neighbours, angles and the rest',
    )
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('<taxonomy>', 'A built-in taxonomy, or a JSON file')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, named: string, { json }: { json?: true }) => {
      const taxonomy = await loadTaxonomy(named);
      const { store } = await openEnvironmentStore();
      const done = await changeRules(store, name, taxonomy);
      if (json) return printJson({ pool: name, taxonomy: taxonomy.name, changed: done !== 'same' });
      say(
        done === 'same'
          ? `pool ${name} already has these rules`
          : `pool ${name} has the rules of ${taxonomy.name} now: new trainings and scans use them, and models stay usable`,
      );
    });
}

function registerTag(pool: Command): void {
  pool
    .command('tag')
    .description('Read tags, vehicle, split and source of images in the pool from a CSV file')
    .argument('<pool>', 'Name of the pool', poolName)
    .argument('<file>', 'Columns file_name or image_id, and any of the tags, vehicle_id, split, source')
    .option('--relabel', 'Use the values of the file, even if they were given before and changed since')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, file: string, { relabel = false, json }: { relabel?: boolean; json?: true }) => {
      const tags = await readTagFile(file, file);
      const { store } = await openEnvironmentStore();
      const report = await tagImages(await openPool(store, name), tags, { relabel, now: new Date() });
      if (json) printJson(report);
      else tellTags(name, report);
      if (report.updated + report.known === 0) process.exitCode = FAILURES['data-invalid'].exitCode;
    });
}

function tellTags(pool: string, { version, updated, known, refused, movedToTest, notices }: TagReport): void {
  say(
    `pool ${pool}, version ${version}: ${counted(updated, 'image', 'images')} updated, ${known} known already, ${refused.length} refused`,
  );
  const groups = groupRefusals(refused.map(({ name, reason }) => ({ fileName: name, reason })));
  for (const { reason, count, examples } of groups) say(`  ${count} × ${reason}: ${examples.join(', ')}`);
  if (movedToTest.length > 0) say(`  ${movedToTest.length} moved to the test split: earlier models have seen them`);
  for (const { notice, count, examples } of notices) say(`  ${count} ${notice}: ${examples.join(', ')}`);
}

function countBy(groups: PoolCounts['groups'], key: (facts: CountedFacts) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { facts, images } of groups) counts.set(key(facts), (counts.get(key(facts)) ?? 0) + images);
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

const describe = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([value, count]) => `${value} ${count}`)
    .join(', ');
